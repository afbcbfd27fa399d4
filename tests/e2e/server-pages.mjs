// A server's life in pages: none, waiting, cancelled, running, not mine, stopped, not running; with the stub.
import { gone, inspectAll, please, sees, signIn, step, story, tell, tree } from "./browser.mjs";
import { look, start, stop } from "./server.mjs";

await tell(async (enter) => {
  step("a start that waits, with its reason, also after a reload");
  const waiting = await enter();
  await waiting.page.goto("");
  await signIn(waiting, "waits");
  const wait = look(waiting);
  await wait.button("start").click();
  await sees(wait.heading("starting"), wait.text("waitsFor"));
  await waiting.page.reload();
  await sees(wait.heading("starting"), wait.text("waitsFor"));
  await inspectAll(waiting, "starting");
  await tree(waiting.page, "starting");

  step("keep waiting, also after a reload");
  await wait.button("keepWaiting").click();
  await sees(wait.text("keptWaiting"));
  await gone(wait.button("keepWaiting"));
  await waiting.page.reload();
  await sees(wait.text("keptWaiting"));
  await inspectAll(waiting, "kept-waiting");

  step("no server");
  const person = await enter();
  const { page } = person;
  const { heading, button, link, say, text } = look(person);
  await page.goto("");
  await signIn(person, story.person);
  await sees(heading("home"), text("noServer"), button("start"));
  await inspectAll(person, "home");

  step("a running server");
  await start(person, `**/user/${story.person}/lab`);
  await page.goto("hub/home");
  await sees(link("open"), button("stop"));
  await inspectAll(person, "home-running");
  // The server’s end is told when it comes, and not when it is asked for.
  await page.waitForRequest(/wait_seconds=/);
  await button("stop").click();
  await sees(text("stopQuestion"), button("stopNo"));
  await inspectAll(person, "home-stop-question");
  await button("stopNo").click();
  await gone(text("stopQuestion"));

  step("Slurm cannot be reached");
  await please("silence Slurm");
  await sees(wait.text("asOf"));
  await Promise.all([page.reload(), waiting.page.reload()]);
  await sees(text("silent"), text("asOf"), link("open"), wait.text("silent"), wait.text("asOf"), wait.text("waitsFor"));
  await inspectAll(waiting, "starting-slurm-silent");
  await inspectAll(person, "home-slurm-silent");
  await please("wake Slurm");
  await gone(wait.text("asOf"));

  step("cancelled");
  await wait.button("cancel").click();
  await sees(wait.heading("cancelled"));
  await inspectAll(waiting, "cancelled");

  step("somebody else’s server, and a page that there is not");
  await page.goto("hub/spawn-pending/waits");
  await sees(heading("notYours"));
  await inspectAll(person, "not-yours");
  person.allow(/status of 404 .*\/hub\/nothing-of-this-name$/, "there is no such page");
  await page.goto("hub/nothing-of-this-name");
  await sees(heading("notFound"));
  await inspectAll(person, "not-found");

  step("stopped, and not running");
  await link("goHome").click();
  await stop(person);
  await inspectAll(person, "home-stopped");
  person.allow(/status of 424 .*\/lab\/tree\/a\.ipynb/, "not running");
  await page.goto(`user/${story.person}/lab/tree/a.ipynb`);
  await sees(heading("notRunning"));
  await inspectAll(person, "not-running");

  step("log out, where Lab’s menu leads");
  await page.goto("hub/logout");
  await sees(heading("logOutTitle"));
  await inspectAll(person, "log-out");
  await page.getByRole("main").getByRole("button", { name: say.logOut }).click();
  await sees(heading("logIn"));
});
