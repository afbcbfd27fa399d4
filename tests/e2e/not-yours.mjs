// The address of somebody else's server, as a link in a message has it.
import { sees, signIn, step, story, tell } from "./browser.mjs";
import { look } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { page } = person;
  const { heading, link } = look(person);

  step("follow the link, and log in on the way");
  person.allow(/status of 403 .*\/hub\/login\?next=\/user\/waits\/lab$/, "it is not theirs");
  await page.goto("user/waits/lab");
  await signIn(person, story.person);
  await sees(heading("notYours"));

  step("follow it again, logged in");
  await page.goto("user/waits/lab");
  await sees(heading("notYours"), link("goHome"));
  await link("goHome").click();
  await sees(heading("home"));
});
