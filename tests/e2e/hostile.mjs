// The same at the hub's own host name: what docs/security.md says is not kept apart there, and what is.
import { attack } from "./hostile-page.mjs";
import { same, sees, signIn, step, story, tell } from "./browser.mjs";
import { look, start } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { context, page, allow } = person;

  step("start");
  await page.goto("");
  await signIn(person, story.person);
  await start(person, `${story.url}user/${story.person}/lab**`);

  step("its script acts as the person towards the hub, and cannot take the sign-in away, show the hub or be others");
  allow(/.*/, "it tries what browsers and Slipway refuse");
  same(await attack(page, story.url, story.person), {
    cookies: false, who: 200, others: 403, start: 400, stop: 202, blindly: 204, frame: "empty",
  }, "what came of it");

  step("it has stopped the server and signed its reader out");
  const hub = await context.newPage();
  person.page = hub;
  await hub.goto("hub/home");
  await sees(look(person).heading("loginTitle"));
});
