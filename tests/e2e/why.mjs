// Every cause that a start can wait or fail for (tests/e2e/why.rs): the page says which, and what to do.
import { audit, cookies, speak, step, story, tell, until } from "./browser.mjs";
import { words } from "./words.mjs";

const pictured = new Set(["wait-1", "wait-18", "refused-4", "end-memory", "end-cancelled"]);

await tell(async (enter) => {
  const person = await enter();
  const { page } = person;
  const context = page.context();
  person.allow(/words-|why-/, "the page is left while they are on their way");
  for (const { user, cookies: lines, ...wanted } of story.cases) {
    step(user);
    await context.clearCookies();
    await context.addCookies(cookies(lines));
    await page.goto(`hub/spawn-pending/${user}`);
    for (const language of ["en", "fr"]) {
      await page.getByRole("button", { name: { en: "English", fr: "Français" }[language], exact: true }).waitFor();
      await speak(page, language);
      for (const told of wanted[language].filter((text) => text)) {
        // What Slurm said in English is marked as that: U+2068 and U+2069 enclose it.
        const [, quoted] = told.match(/\u2068(.*)\u2069/) ?? [];
        const text = told.replaceAll(/[\u2068\u2069]/g, "").replaceAll(/\s+/g, " ");
        await until(`${user}: ${text}`, async () => (await page.locator("main").innerText()).replaceAll(/\s+/g, " ").includes(text));
        if (quoted) await page.locator("[lang=en]").getByText(quoted, { exact: true }).first().waitFor();
      }
      const heading = await page.getByRole("heading", { level: 1 }).innerText();
      if (heading === words[language].trouble) throw new Error(`${user}: ${heading}`);
    }
    if (pictured.has(user)) await audit(page, user);
  }
});
