// A site that starts people's usual server when they have signed in; those who have one go to it.
import { fillSignIn, story, step, tell } from "./browser.mjs";

await tell(async (enter) => {
  step("signing in is a server");
  const first = await enter();
  first.allow(/status of 404 .*\/favicon\.ico$/, "the stub of Jupyter has no icon");
  await first.page.goto("hub/login");
  await fillSignIn(first, story.person);
  await first.page.waitForURL(`**/user/${story.person}/lab`);

  step("and the next time, from another machine, it is the same one");
  const second = await enter();
  second.allow(/status of 404 .*\/favicon\.ico$/, "the stub of Jupyter has no icon");
  await second.page.goto("hub/login");
  await fillSignIn(second, story.person);
  await second.page.waitForURL(`**/user/${story.person}/lab`);
});
