// A site that starts people's usual server when they have signed in; those who have one go to it.
import { fillSignIn, inspectAll, sees, story, step, tell } from "./browser.mjs";
import { look } from "./server.mjs";

await tell(async (enter) => {
  step("signing in is a server");
  const first = await enter();
  await first.page.goto("hub/login");
  await fillSignIn(first, story.person);
  await first.page.waitForURL(`**/user/${story.person}/lab`);

  step("and the next time, from another machine, it is the same one");
  const second = await enter();
  await second.page.goto("hub/login");
  await fillSignIn(second, story.person);
  await second.page.waitForURL(`**/user/${story.person}/lab`);

  step("what Slurm refuses is said, with the way to other options");
  const third = await enter();
  third.allow(/status of 4\d\d .*\/server$/, "Slurm refuses it");
  await third.page.goto("hub/login");
  await fillSignIn(third, "refused");
  const { heading, text, link } = look(third);
  await sees(heading("didNotStart"), text("slurmSaid"), link("goHome"));
  await inspectAll(third, "landing-refused");
  await link("chooseOptions").click();
  await sees(heading("options"));
});
