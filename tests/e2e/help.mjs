// What helps somebody whose start came to nothing, and somebody whose time is nearly over.
import { inspectAll, same, sees, signIn, step, story, tell, tree, until } from "./browser.mjs";
import { look, start, stop } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { page } = person;
  const { say, heading, button, link, text } = look(person);
  const press = (name) => page.getByRole("button", { name, exact: true }).click();

  step("Jupyter fails over the person's own settings: once without them, it does not");
  await page.goto("hub/spawn?cores=6");
  await signIn(person, story.person);
  await button("start").click();
  await sees(heading("didNotStart"), text("jupyterFailed"), text("freshHint"));
  await inspectAll(person, "failed");
  await press(say.freshStart);
  await page.waitForURL(`**/user/${story.person}/lab`);

  step("what support needs is copied in one piece");
  await page.goto("hub/home");
  await stop(person);
  await page.goto("hub/spawn-pending/" + story.person);
  await press(say.copySupport);
  const block = page.getByRole("textbox", { name: say.supportLabel });
  await sees(block, text("supportCopied"));
  const copied = await block.inputValue();
  if (!/^User: +ada$/m.test(copied) || !/^Job: +\d+$/m.test(copied)) throw new Error(copied);
  await inspectAll(person, "support");

  step("the last servers are listed, also the one that failed");
  await page.goto("hub/home");
  await sees(page.getByRole("heading", { level: 2, name: say.history }), text("jupyterFailed").first(), text("wasStopped").first());
  await inspectAll(person, "home-history");

  step("somebody else has most of the cluster: a start that waits is told of room for less");
  const other = await enter();
  await other.page.goto("hub/spawn?cores=6&time=10+min");
  await signIn(other, "bob");
  await start(other, "**/user/bob/lab");
  await page.goto("hub/spawn?cores=8");
  await button("start").click();
  await sees(heading("starting"), text("roomForTwo"));
  await inspectAll(person, "starting-no-room");
  await sees(heading("didNotStart"), text("roomForTwo"));

  step("another job of theirs is in the way: it is cancelled from here, which is asked once");
  await sees(page.getByRole("heading", { level: 2, name: say.otherJobs }));
  const drawn = link("change");
  await drawn.evaluate((element) => { element.dataset.drawn = "once"; });
  await inspectAll(person, "given-up-help");
  await tree(page, "given-up");
  same(await drawn.getAttribute("data-drawn"), "once", "what was drawn, after what is free was asked for again");
  await page.getByRole("button", { name: say.cancelJob, exact: true }).dblclick(); // Which asks, and answers nothing.
  await press(say.cancelJobYes);
  await sees(text("jobCancelled").first());
  await press(say.startWithTwo);
  await sees(heading("didNotStart"));

  step("ten minutes before the end it is said on every page");
  await other.page.goto("hub/spawn");
  await sees(look(other).text("endsSoonServer"));
  await inspectAll(other, "time-warning");
  await other.page.goto("hub/home");
  await until("home", () => look(other).button("stop").isVisible());
  await sees(look(other).text("saveYourWork"));
  await inspectAll(other, "home-nearly-over");
});
