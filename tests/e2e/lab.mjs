// The main job, in English on a desktop: from logging in to a cell's output, and back to where one was.
import { signIn, step, story, tell, same, sees } from "./browser.mjs";
import { allowLab, openHub, openNotebook } from "./jupyter.mjs";
import { look, start, stop } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { context, page } = person;
  const { heading, link, field, choose, text } = look(person);
  allowLab(person);

  step("open the site and log in");
  await page.goto("");
  await signIn(person, story.person);
  await sees(heading("home"), text("noServer"));

  step("choose options");
  await link("change").click();
  await sees(heading("options"));
  await field("time").fill("1:30");
  await field("cores").fill("2");
  await field("memory").fill("2");
  await choose("lab");
  await sees(page.getByText(/^JupyterLab for 1.5\sh, until .*, 2\scores, 2\sGB, charged to/));

  step("start, and wait until Lab opens");
  await start(person, `**/user/${story.person}/lab**`);

  step("run a cell");
  const notebook = await openNotebook(page);
  await notebook.run("answer = 6*7; print(answer)", "42");

  step("restart the kernel and run again");
  await notebook.restart();
  await notebook.run('print("answer" in dir(), 6*7)', "False 42");
  await notebook.save();
  const address = new URL(page.url()).pathname;

  step("go to the hub, and stop");
  const lab = page;
  person.page = await openHub(person);
  await lab.close();
  const hub = look(person);
  await sees(hub.heading("home"), hub.link("open"), person.page.getByRole("heading", { name: "JupyterLab" }));
  await stop(person);

  step("open the notebook’s address: not running; start again, and be there");
  person.allow(/status of 424 .*Untitled\.ipynb$/, "that is how the server says that it is not running");
  await person.page.goto(address);
  await sees(hub.heading("notRunning"), person.page.getByText(address, { exact: true }));
  await hub.button("startAgain").click();
  await person.page.waitForURL(`**${address}**`);
  await sees(person.page.getByRole("feed", { name: "Cells" }).getByText("False 42", { exact: true }));
  same(context.pages().length, 1, "the number of tabs");
});
