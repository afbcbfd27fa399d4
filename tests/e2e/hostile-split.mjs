// A notebook whose script turns against its reader, where servers have a host name of their own.
import { attack } from "./hostile-page.mjs";
import { same, sees, signIn, step, story, tell } from "./browser.mjs";
import { look, start } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { context, page, allow } = person;
  const { link } = look(person);


  step("start: the server opens at its own host name");
  await page.goto("");
  await signIn(person, story.person);
  await start(person, `${story.servers}user/${story.person}/lab**`);

  step("its script tries what it can");
  allow(/.*/, "it tries what browsers refuse");
  const refused = "refused by the browser";
  same(await attack(page, story.url, story.person), {
    cookies: false, who: refused, others: refused, start: refused, stop: refused, blindly: 0, frame: "empty",
  }, "what came of it");

  step("the hub has not been touched: signed in, the server running");
  const hub = await context.newPage();
  person.page = hub;
  await hub.goto("hub/home");
  await sees(look(person).link("open"));

  step("a notebook’s address, before and after the server ends");
  await hub.goto(`${story.servers}user/${story.person}/tree`);
  same(hub.url(), `${story.servers}user/${story.person}/tree`, "where it opens");
  await hub.goto("hub/home");
  await look(person).button("stop").click();
  await look(person).button("stopYes").click();
  await sees(look(person).text("wasStopped"));
  await hub.goto(`${story.servers}user/${story.person}/tree`);
  await sees(look(person).heading("notRunning"), hub.getByText(`/user/${story.person}/tree`, { exact: true }));
  await look(person).button("startAgain").click();
  await hub.waitForURL(`${story.servers}user/${story.person}/tree`);
});
