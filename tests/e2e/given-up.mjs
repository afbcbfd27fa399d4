// A start that waits too long is given up, says why, and leads to other options.
import { inspectAll, same, sees, signIn, step, story, tell } from "./browser.mjs";
import { look } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { say, heading, button, link, field, text } = look(person);

  // Somebody who has another tab before them, and wants to be told.
  await person.context.addInitScript(() => {
    Object.defineProperty(document, "hidden", { get: () => true });
    globalThis.Notification = class {
      static permission = "granted";
      constructor(message) {
        sessionStorage.setItem("told", message);
      }
    };
  });

  step("wait until it is given up");
  await person.page.goto("");
  await signIn(person, story.person);
  await button("start").click();
  await sees(heading("starting"), heading("didNotStart"), text("waitsFor"));
  same(await person.page.evaluate(() => sessionStorage.getItem("told")), say.didNotStart, "the notification");
  await inspectAll(person, "given-up");

  step("keep waiting: it starts again, and is not given up any more");
  await button("tryAndWait").click();
  await sees(heading("starting"), text("keptWaiting"));
  await button("cancel").click();
  await sees(heading("cancelled"));

  step("change the options, or try again");
  await link("change").click();
  await sees(heading("options"), field("time"));
  await person.page.goBack();
  await button("tryAgain").click();
  await sees(heading("starting"));
});
