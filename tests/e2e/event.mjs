// An event: what it forces, the way straight into a server, and how everybody is doing, for those who teach.
import { fillSignIn, inspectAll, sees, signIn, speak, step, story, tell } from "./browser.mjs";
import { look } from "./server.mjs";

await tell(async (enter) => {
  step("the board, before anybody has come");
  const teacher = await enter();
  await teacher.page.goto("hub/spawn");
  await signIn(teacher, "bob");
  await look(teacher).link("board").click();
  await sees(look(teacher).text("boardNobody"));
  await inspectAll(teacher, "board-empty");

  step("somebody who takes part gets a server without being asked anything");
  const guest = await enter();
  await guest.page.goto("hub/login");
  await fillSignIn(guest, "ada");
  await guest.page.waitForURL("**/user/ada/lab");

  step("what is locked says so, and why");
  const locked = await enter();
  await locked.page.goto("hub/spawn");
  await signIn(locked, "vera");
  await sees(look(locked).heading("options"), look(locked).text("setByEvent"), look(locked).text("underWay"));
  await inspectAll(locked, "form-locked");

  step("the board");
  const waits = await enter();
  await waits.page.goto("hub/login");
  await fillSignIn(waits, "waits");
  await sees(look(waits).heading("starting"));
  await sees(teacher.page.getByRole("heading", { level: 1, name: "Course" }), teacher.page.getByRole("row", { name: /ada/ }));
  await sees(teacher.page.getByText("Ready: 1"), teacher.page.getByText("In the queue: 1"));
  await inspectAll(teacher, "board");
  await teacher.page.setViewportSize({ width: 320, height: 640 });
  await sees(teacher.page.getByRole("row", { name: /waits/ }).getByText(look(teacher).say.waitsFor));
  await teacher.page.setViewportSize(teacher.screen);
  await speak(teacher.page, "fr");

  step("without the other language the page stays as it is, and says so");
  const alone = await enter();
  alone.allow(/words-fr|ERR_FAILED|Failed to load/, "cut off");
  await alone.page.route(/words-fr/, (route) => route.abort());
  await alone.page.goto("hub/login");
  await sees(alone.page.getByLabel("Username"));
  await alone.page.getByLabel("Username").fill("ada");
  await alone.page.getByRole("button", { name: "Français" }).click();
  await sees(alone.page.getByRole("alert").getByText(/^The other language could not be loaded/));
});
