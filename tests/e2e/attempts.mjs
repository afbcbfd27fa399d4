// What cannot be done is said where it was asked for, and can be tried again: the network fails in the moment of the press.
import { focused, gone, inspectAll, sees, signIn, step, story, tell } from "./browser.mjs";
import { look } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { page, allow } = person;
  const { say, heading, button, link } = look(person);
  const noAnswer = page.getByRole("alert").filter({ hasText: say.noAnswer });
  allow(/net::ERR_FAILED/, "that is the network that fails");
  /** Presses while requests to this URL fail, and then while they do not. */
  const inVain = async (url, press) => {
    await page.route(url, (route) => (route.request().method() === "GET" && !url.endsWith("support") ? route.continue() : route.abort()));
    await press();
    await sees(noAnswer);
    await page.unroute(url);
  };

  step("a start that waits: to keep waiting, and to cancel");
  await page.goto("");
  await signIn(person, "waits");
  await button("start").click();
  await sees(heading("starting"), page.getByText(say.waitsFor));
  const byItself = page.getByRole("checkbox", { name: say.opensByItself });
  await byItself.uncheck();
  await inVain("**/server/keep-waiting", () => button("keepWaiting").click());
  await button("keepWaiting").click();
  await sees(page.getByText(say.keptWaiting));
  // There is room, and Slurm lets it wait all the same.
  await gone(noAnswer, page.getByText(say.roomNow));
  await inVain("**/server", () => button("cancel").click());
  await inspectAll(person, "starting-not-cancelled");
  await button("cancel").click();
  await sees(heading("cancelled"));

  step("what support needs to know");
  await inVain("**/server/support", () => button("copySupport").click());
  await button("copySupport").click();
  await sees(page.getByRole("textbox", { name: say.supportLabel }));
  await gone(noAnswer);

  step("to log out");
  await link("logOut").click();
  await inVain("**/api/logout", () => button("logOut").click());
  await inspectAll(person, "logout-in-vain");
  await button("logOut").click();
  await sees(heading("loginTitle"));

  step("a server does not open by itself where somebody did not want that: Open has the focus");
  await signIn(person, story.person);
  await button("start").click();
  await sees(heading("ready"));
  await focused(link("openNow"));
  await gone(button("cancel"));
  await sees(link("goHome"));
  await inspectAll(person, "starting-ready");
  await page.reload();
  await focused(link("openNow"));

  step("the next server, and an end");
  await page.goto("hub/home");
  const next = page.getByRole("checkbox", { name: say.nextOne });
  await inVain("**/server/next", () => next.click());
  await sees(page.getByRole("checkbox", { name: say.nextOne, checked: false }));
  await button("stop").click();
  await inVain("**/server", () => button("stopYes").click());
  await button("stopNo").click();

  step("it opens by itself again");
  await page.goto(`hub/spawn-pending/${story.person}`);
  await byItself.click();
  await page.waitForURL(`**/user/${story.person}/lab`);
});
