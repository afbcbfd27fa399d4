// An event that gives everybody a terminal, and a site that leads people straight to the form.
import { fillSignIn, inspectAll, sees, speak, step, story, tell } from "./browser.mjs";
import { look, start } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { page } = person;

  step("the form comes after signing in, and says that the interface is set, in both languages");
  await page.goto("hub/login");
  await fillSignIn(person, story.person);
  const { heading, text } = look(person);
  await sees(heading("options"), text("setByEvent"), page.locator("#interface").getByText("Terminal"));
  await speak(page, "fr");
  await sees(page.locator("#interface").getByText(/^Choisi pour/));
  await speak(page, "en");
  await inspectAll(person, "forced-terminal");

  step("it opens as a terminal");
  await start(person, `**/user/${story.person}/terminals/1`);
});
