// A start that waits too long is given up, says why, and leads to other options.
import { inspectAll, sees, signIn, step, story, tell } from "./browser.mjs";
import { look } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { heading, button, link, field, text } = look(person);

  step("wait until it is given up");
  await person.page.goto("");
  await signIn(person, story.person);
  await button("start").click();
  await sees(heading("starting"), heading("didNotStart"), text("waitsFor"));
  await inspectAll(person, "given-up");

  step("change the options, or try again");
  await link("change").click();
  await sees(heading("options"), field("time"));
  await person.page.goBack();
  await button("tryAgain").click();
  await sees(heading("starting"));
});
