// The next server was wanted: it comes by itself, or whoever comes back is told that it could not be started, and why.
import { inspectAll, please, sees, signIn, step, story, tell } from "./browser.mjs";
import { look, start } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { page } = person;
  const { say, heading, text } = look(person);

  const next = page.getByRole("checkbox", { name: say.nextOne });
  const wantNext = async () => {
    const kept = page.waitForResponse((response) => response.url().endsWith("/server/next") && response.ok());
    await next.check();
    await kept;
  };

  step("start, and ask for the next one: it is there when the time is over, once");
  await page.goto("");
  await signIn(person, story.person);
  await start(person, `**/user/${story.person}/lab`);
  await page.goto("hub/home");
  await wantNext();
  await please("end job: 1");
  await sees(page.getByRole("checkbox", { name: say.nextOne, checked: false }));

  step("it cannot be started: the account is closed when the time is over");
  await wantNext();
  await please("close the account of ada");
  await please("end job: 2");
  await sees(text("noServer"), text("nextFailed"));
  await inspectAll(person, "home-next-failed");

  step("where the start was followed it is said as well");
  await page.goto(`hub/spawn-pending/${story.person}`);
  await sees(heading("hasEnded"), text("nextFailed"));
  await inspectAll(person, "ended-next-failed");
});
