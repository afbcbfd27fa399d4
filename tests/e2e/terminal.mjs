// A shell on the compute node.
import { picture, sees, signIn, step, story, tell, until } from "./browser.mjs";
import { allowLab, allowNotebook } from "./jupyter.mjs";
import { look, start, stop } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { page } = person;
  const { heading, choose, field } = look(person);
  allowNotebook(person);
  allowLab(person);
  // The terminal is drawn on a canvas: what it shows is only to be read on its way there.
  let shown = "";
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => (shown += payload)));

  step("start the Terminal interface");
  await page.goto("hub/spawn");
  await signIn(person, story.person);
  await sees(heading("options"));
  await field("time").fill("0:10");
  await choose("terminal");
  await start(person, `**/user/${story.person}/terminals/1`);

  step("type a command");
  await page.getByRole("textbox", { name: "Terminal input" }).focus();
  await until("the shell", () => shown.includes('"stdout"'));
  await page.keyboard.type("echo answer-$((40+2))\n");
  await until("its answer", () => shown.includes("answer-42"));
  await picture(page, "terminal", person);

  step("Lab says by itself that the time is nearly over");
  await page.goto(`user/${story.person}/lab`);
  await sees(page.getByText(/^Your server ends in \d+ min\. Variables will be gone/));
  await picture(page, "lab-time", person);

  step("stop");
  await page.goto("hub/home");
  await stop(person);
});
