// The main job on a phone, in French and dark colours, in the Notebook interface.
import { PHONE, inspect, picture, sees, signIn, step, story, tell } from "./browser.mjs";
import { allowNotebook, newNotebook } from "./jupyter.mjs";
import { look, start, stop } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter({ language: "fr", screen: PHONE, colours: "dark" });
  const { page } = person;
  const { heading, link, field, choose, text } = look(person);
  allowNotebook(person);

  step("log in");
  await page.goto("");
  await inspect(person, "phone-login");
  await signIn(person, story.person);
  await sees(heading("home"), text("noServer"));
  await inspect(person, "phone-home");

  step("start the Notebook interface for an hour and a half");
  await link("change").click();
  await sees(heading("options"));
  await field("time").fill("1,5");
  await choose("notebook");
  await sees(page.getByText(/^Notebook pendant 1,5\sh, jusqu’/));
  await inspect(person, "phone-options");
  await start(person, `**/user/${story.person}/tree**`);

  step("make a notebook and run a cell");
  const notebook = await newNotebook(person);
  await notebook.run("print(6*7)", "42");

  step("Jupyter is in French, too");
  await sees(notebook.page.getByRole("menuitem", { name: "Fichier" }));
  await picture(notebook.page, "phone-notebook", person);
  await notebook.page.close();

  step("stop");
  await page.goto("hub/home");
  await inspect(person, "phone-card");
  await stop(person);
});
