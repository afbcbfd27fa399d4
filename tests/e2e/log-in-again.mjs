// A login that ends while it is needed: the form that was half filled, the open Lab, the other tabs.
import { endsIn, focused, gone, inspectAll, please, same, sees, signIn, step, story, tell, until } from "./browser.mjs";
import { allowLab, openNotebook } from "./jupyter.mjs";
import { look } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { context, page, allow } = person;
  const { say, button, field, heading, link, text } = look(person);
  const dialog = page.getByRole("dialog", { name: say.logInAgain });
  const password = dialog.getByLabel(say.password, { exact: true });
  allowLab(person);
  allow(/status of 401 /, "the login has ended, or a password is wrong");
  const signedIn = (tab) => tab.evaluate(async (url) => (await fetch(url)).status === 200, new URL("hub/api/user", story.url).href);

  step("fill in half of the form");
  await page.goto("hub/spawn");
  await signIn(person, story.person);
  await sees(heading("options"));
  await field("time").fill("2:30");
  await field("cores").fill("2");

  step("the login ends");
  await endsIn(context, 1);
  await until("the end", async () => !(await signedIn(page)));
  await button("start").click();
  await sees(dialog.getByText(say.endedLead));
  await focused(password);
  await inspectAll(person, "log-in-again", ["en"]);

  step("log in again: wrong, then right");
  await password.fill("not the password");
  await dialog.getByRole("button", { name: say.logIn, exact: true }).click();
  await sees(dialog.getByRole("alert").filter({ hasText: say.wrongPassword }));
  await page.keyboard.press("Escape");
  await password.fill(story.passwords[story.person]);
  await page.keyboard.press("Enter");
  await gone(dialog);
  same([await field("time").inputValue(), await field("cores").inputValue()], ["2:30", "2"], "what was filled in");
  await focused(button("start"));

  step("start, and run a cell");
  await button("start").click();
  await page.waitForURL(`**/user/${story.person}/lab**`);
  const notebook = await openNotebook(page);
  await notebook.run("answer = 6*7; print(answer)", "42");

  step("the login ends under the open Lab; log in again in another tab");
  notebook.expectReconnection();
  allow(/WebSocket connection to .* failed/, "the tunnel has ended with the login");
  allow(/(Failed to fetch|Unauthorized|Response|status of 4)/, "Lab asks all the same");
  allow(/status of 503 .*\/api\/kernels\/[^/]+$/, "so that Lab goes on trying to reach its kernel");
  await please("sign out: ada");
  await until("the end", async () => !(await signedIn(page)));
  const hub = await context.newPage();
  person.page = hub;
  await hub.goto("hub/home");
  await signIn(person, story.person);
  await sees(look(person).link("open"));

  step("Lab goes on, with what the kernel knew");
  await page.bringToFront();
  await notebook.run("print(answer + 1)", "43");

  step("a login that ends soon is told, and carried on");
  await hub.bringToFront();
  await endsIn(context, 500);
  await hub.goto("hub/home");
  const soon = look(person);
  await sees(soon.text("endsSoon"));
  await inspectAll(person, "login-ends-soon");
  await soon.button("logInAgain").click();
  const again = hub.getByRole("dialog", { name: say.logInAgain });
  await again.getByLabel(say.password, { exact: true }).fill(story.passwords[story.person]);
  await hub.keyboard.press("Enter");
  await gone(again, soon.text("endsSoon"));

  step("what is typed into it stays, however often the page asks in vain meanwhile");
  await endsIn(context, 1);
  const refused = () => hub.waitForResponse((answer) => answer.status() === 401);
  await refused();
  await sees(again);
  await again.getByLabel(say.password, { exact: true }).fill("half a pass");
  await refused();
  await refused();
  same(await again.getByLabel(say.password, { exact: true }).inputValue(), "half a pass", "what was typed");
  await again.getByLabel(say.password, { exact: true }).fill(story.passwords[story.person]);
  await hub.keyboard.press("Enter");
  await gone(again);

  step("the same dialog in French");
  const french = await enter({ language: "fr" });
  french.allow(/status of 401 /, "the login has ended");
  await french.page.goto("hub/spawn");
  await signIn(french, story.person);
  await sees(look(french).button("start"));
  await endsIn(french.context, 1);
  await until("the end", async () => !(await signedIn(french.page)));
  await look(french).button("start").click();
  await sees(french.page.getByRole("dialog", { name: look(french).say.logInAgain }));
  await inspectAll(french, "log-in-again", ["fr"]);

  step("a browser whose clock is two days ahead");
  const early = await enter();
  await early.page.clock.setSystemTime(Date.now() + 2 * 24 * 3600 * 1000);
  await early.page.goto("hub/home");
  await signIn(early, story.person);
  await sees(look(early).link("open"));
  same(await early.page.getByText(say.endsSoon).or(early.page.getByRole("dialog")).count(), 0, "words about the end of the login");

  step("log out in another tab, and stop the server");
  const other = await context.newPage();
  await other.goto("hub/home");
  await sees(other.getByRole("link", { name: say.open, exact: true }));
  await other.getByRole("link", { name: say.logOut }).click();
  await other.getByRole("checkbox", { name: say.stopToo }).check();
  await inspectAll({ ...person, page: other }, "log-out-with-server");
  await other.getByRole("button", { name: say.logOut, exact: true }).click();
  const began = Date.now();
  await sees(soon.heading("loginTitle"));
  if (Date.now() - began > 2000) throw new Error("the other tab noticed late");
  await signIn(person, story.person);
  await sees(soon.text("wasStopped"));
});
