// A start where no events come through, as behind a proxy that holds them back; and with no network for a while.
import { sees, signIn, step, story, tell } from "./browser.mjs";
import { look, start } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { page, context } = person;
  person.allow(/net::ERR_FAILED .*\/server\/progress$/, "cut off here");
  person.allow(/net::ERR_INTERNET_DISCONNECTED/, "no network");

  step("start, and wait until the interface opens all the same");
  await context.route("**/server/progress", (route) => route.abort());
  await page.goto("");
  await signIn(person, story.person);
  await start(person, `**/user/${story.person}/lab`);

  step("a laptop that loses the network while its start waits, and finds it again");
  const waiting = await enter();
  const wait = look(waiting);
  waiting.allow(/net::ERR_INTERNET_DISCONNECTED/, "no network");
  await waiting.page.goto("");
  await signIn(waiting, "waits");
  await wait.button("start").click();
  await sees(wait.heading("starting"), wait.text("waitsFor"));
  await waiting.context.setOffline(true);
  await sees(wait.text("noNews"));
  await waiting.context.setOffline(false);
  await wait.text("noNews").waitFor({ state: "hidden" });
  await sees(wait.heading("starting"), wait.text("waitsFor"));
});
