// What the site announces is read by everybody, in their language, until they have dismissed it. The site has a logo, other
// hubs, and a maintenance that Slurm knows of.
import { gone, inspectAll, PHONE, same, sees, signIn, step, story, tell } from "./browser.mjs";
import { look } from "./server.mjs";

const TOLD = { en: /28.November Maintenance on 1 December/, fr: /28.novembre Entretien le 1er décembre/ };

await tell(async (enter) => {
  const person = await enter();
  const { page, context } = person;
  const { say, heading, text } = look(person);
  const told = (language) => page.getByText(TOLD[language]);
  const logo = page.locator("header img");

  step("before logging in");
  const bare = await enter({ scripts: false });
  await bare.page.goto("hub/login");
  await sees(bare.page.getByRole("textbox", { name: say.username, description: "Not your e-mail." }));
  await sees(bare.page.getByText(TOLD.en), bare.page.getByRole("link", { name: say.readMore }));
  await gone(bare.page.getByRole("button", { name: say.dismiss })); // It could do nothing.
  for (const screen of [PHONE, person.screen]) {
    await page.setViewportSize(screen);
    let go;
    const held = new Promise((done) => (go = done));
    await page.route("**/*.wasm", async (route) => route.continue(await held));
    await page.goto("hub/login");
    const places = async () => [await told("en").boundingBox(), (await page.getByLabel(say.username).boundingBox()).y];
    const before = await places();
    go();
    await sees(page.getByRole("button", { name: "Français" }));
    same(await places(), before, "what the page found, and did not move");
    await page.unrouteAll();
  }
  same(await page.getByText("This is over.").count(), 0, "what is over");
  same(await logo.evaluate((image) => image.complete && image.naturalWidth > 0), true, "whether the logo is there");
  await inspectAll(person, "announcement");

  step("in French, in place, with what Slurm knows of the maintenance, and with the other hubs");
  const about = (text) => page.getByRole("listitem").filter({ hasText: text });
  await sees(page.getByText(/^maintenance until \d/), about("Notebooks on Narval").getByRole("link", { name: "Narval" }));
  await page.getByRole("button", { name: "Français" }).click();
  await sees(page.getByRole("textbox", { name: "Nom d’utilisateur", description: "Pas votre courriel." }));
  await sees(told("fr"), page.getByText(/^entretien jusqu’à /), about("Des carnets sur Narval"));
  same(await page.getByRole("link", { name: "Narval" }).getAttribute("href"), "https://narval.example.org/fr", "where it leads");
  await page.getByRole("button", { name: "English" }).click();

  step("dismissed: also after a reload, in other tabs, and when signed in");
  await page.getByRole("button", { name: say.dismiss }).click();
  await gone(told("en"));
  same(await page.evaluate(() => document.activeElement.id), "main", "where the focus goes");
  same((await (await page.goto("hub/login")).text()).includes(`"announcement__inner"`), false, "whether it is in the document");
  await page.goto("");
  await signIn(person, story.person);
  await sees(heading("home"), text("noServer"));
  await gone(told("en"));
  const tab = await context.newPage();
  const document = await (await tab.goto("hub/home")).text();
  same([document.includes("<main"), document.includes(`"announcement__inner"`)], [true, false], "drawn by the server without it");
  await sees(tab.getByText(say.noServer));
  await gone(tab.getByText(TOLD.en));
  await tab.goto("hub/spawn");
  await sees(tab.getByRole("textbox", { name: say.time, description: /^From 1\smin to .* A class takes two\.$/ }));
});
