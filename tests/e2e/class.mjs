// A class of eighty at nine: all have pressed Start before their reservation begins, and all get their server then.
import { inspectAll, sees, signIn, speak, step, story, tell } from "./browser.mjs";
import { look } from "./server.mjs";

await tell(async (enter) => {
  step("the last of them presses Start, and reads when it begins");
  const student = await enter();
  await student.page.goto("hub/spawn");
  await signIn(student, story.person);
  await sees(look(student).text("startsLater"), look(student).text("setByEvent").first());
  await look(student).button("start").click();
  await sees(look(student).heading("starting"), look(student).text("startsLater"));
  await inspectAll(student, "class-waits");

  step("their instructor sees, in French, that all of them wait for it");
  const teacher = await enter();
  await teacher.page.goto("hub/events/course");
  await signIn(teacher, "bob");
  await speak(teacher.page, "fr");
  await sees(teacher.page.getByRole("heading", { level: 1, name: "Cours" }), teacher.page.getByText(/^En file d’attente\s: 80/));

  step("it begins");
  await student.page.waitForURL(`**/user/${story.person}/lab`);
  await sees(teacher.page.getByText(/^Prêts\s: 80/));
});
