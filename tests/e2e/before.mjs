// Before the page runs: the server has drawn the same, and what is done there is not lost.
import { focused, gone, inspectAll, PHONE, running, same, sees, signIn, step, story, tell, until } from "./browser.mjs";
import { look, stop } from "./server.mjs";

/** What is seen, what it is called and has in it, and where: in place of the page as a picture, which tells no reasons. */
const seen = () => {
  const lines = [];
  // A minute may have passed.
  const still = (text) => text.replace(/\d+(:| h )\d\d/gu, "0:00");
  const walk = (node) => {
    for (const child of node.childNodes) {
      if (child instanceof Text && child.data.trim()) lines.push(still(child.data.trim()));
      if (!(child instanceof Element) || child.matches("noscript, script, #not-loaded")) continue;
      const names = child.getAttributeNames().filter((name) => !["selected", "checked", "value"].includes(name)).sort();
      const { x, y, width, height } = child.getBoundingClientRect();
      const held = child.matches("input, select") ? [child.value, child.checked] : [];
      const own = names.map((name) => `${name}=${still(child.getAttribute(name))}`);
      lines.push([child.tagName, ...own, ...held, ...[x, y, width, height].map(Math.round)].join(" "));
      walk(child);
    }
  };
  walk(document.body);
  return lines.join("\n").replaceAll("Slipway\n", "Slipway "); // One text or two.
};

await tell(async (enter) => {
  const person = await enter();
  const { page } = person;
  const { say, heading, button, field, text, choose } = look(person);
  let takeOver;
  const hold = async () => {
    const held = new Promise((resolve) => (takeOver = resolve));
    await page.unrouteAll();
    await page.route("**/*.wasm", async (route) => route.continue(await held));
  };
  await page.goto("hub/login");
  await signIn(person, story.person);
  await sees(button("start")); // Slurm has been asked: only what is known at once is drawn.

  for (const [path, name] of [["hub/spawn", "options"], ["hub/spawn?time=nothing&cores=2", "options"], ["hub/home", "home"]]) {
    step(`${path} is drawn by the server as by the page`);
    for (const language of ["fr", "en"]) {
      await page.context().addCookies([{ name: "slipway-language", value: language, url: story.url }]);
      await page.evaluate((language) => localStorage.setItem("slipway-language", language), language);
      for (const screen of [PHONE, person.screen]) {
        await page.setViewportSize(screen);
        await hold();
        await page.goto(path, { waitUntil: "commit" });
        await sees(look({ page, language }).heading(name));
        await page.waitForLoadState("load");
        const drawn = (await page.evaluate(seen)).split("\n");
        await page.evaluate(() => {
          const count = () => document.body.querySelectorAll("*").length;
          window.came = [];
          new MutationObserver(() => window.came.push(count())).observe(document.documentElement, { childList: true });
        });
        takeOver();
        await running(page);
        const [came, all] = await page.evaluate(() => [window.came, document.body.querySelectorAll("*").length]);
        same(came, [all], "how many elements came at once");
        const shown = (await page.evaluate(seen)).split("\n");
        const others = drawn.findIndex((line, n) => line !== shown[n]);
        same(drawn[others], shown[others], `${path} in ${language}, ${screen.width} px wide, line ${others}`);
        same(drawn.length, shown.length, "the number of lines");
      }
    }
  }

  step("what is typed, chosen, opened and pressed before the page runs");
  await hold();
  await page.goto("hub/spawn", { waitUntil: "commit" });
  await sees(button("start"));
  await inspectAll(person, "options-first-paint", ["en"]);
  await button("fourPerCore").click();
  await choose("terminal");
  await page.getByText(say.more, { exact: true }).click();
  await page.getByLabel(say.partition, { exact: true }).selectOption("cpubase_interac");
  await field("cores").fill("2");
  await field("time").fill("");
  await field("time").pressSequentially("0:2");
  takeOver();
  await running(page);
  await focused(field("time"));
  await field("time").press("5");
  const values = ["time", "cores", "memory"].map((name) => field(name).inputValue());
  same(await Promise.all(values), ["0:25", "2", "4"], "time, cores and memory");
  await sees(text("terminalFor25"), page.getByLabel(say.partition, { exact: true }));

  step("the keyboard stays where it was");
  await hold();
  await page.goto("hub/spawn", { waitUntil: "commit" });
  await field("cores").fill("2");
  await field("cores").press("Home");
  takeOver();
  await running(page);
  await focused(field("cores"));
  await field("cores").press("1");
  same(await field("cores").inputValue(), "12", "what was typed at the caret");
  await page.evaluate(() => {
    location.hash = "main"; // As a link within the page would.
    addEventListener("popstate", () => document.body.classList.add("back"));
    history.back();
  });
  await page.locator("body.back").waitFor();
  same(await field("cores").inputValue(), "12", "what is left of it on the way back");
  await hold();
  await page.goto("hub/spawn", { waitUntil: "commit" });
  await button("start").focus();
  takeOver();
  await running(page);
  await focused(button("start"));

  step("a page that cannot be loaded says so, in place of doing nothing");
  const alone = await enter();
  alone.allow(/./, "the program is kept from it");
  await alone.context.addCookies(await page.context().cookies());
  await alone.page.route("**/*.wasm", (route) => route.abort());
  await alone.page.goto("hub/spawn", { waitUntil: "commit" });
  await sees(alone.page.getByRole("alert").filter({ hasText: say.notLoaded }));
  await inspectAll(alone, "options-not-loaded", ["en"]);

  step("nor one whose words cannot be loaded, until they can");
  await alone.page.unrouteAll();
  await alone.page.route("**/words-*.json", (route) => route.abort());
  await alone.page.goto("hub/spawn", { waitUntil: "commit" });
  await sees(alone.page.getByRole("alert").filter({ hasText: say.notLoaded }));
  const vain = [];
  alone.page.on("request", (request) => request.method() === "POST" && vain.push(request.url()));
  await alone.page.getByRole("button", { name: say.start }).click();
  await alone.page.getByRole("textbox", { name: say.cores, exact: true }).fill("2");
  await alone.page.unrouteAll();
  await running(alone.page);
  same([await alone.page.getByRole("textbox", { name: say.cores, exact: true }).inputValue(), vain], ["2", []], "what was typed, and what was carried out");
  await gone(alone.page.getByRole("alert").filter({ hasText: say.notLoaded }));

  step("an answer that has become old on the way is asked for anew");
  const asked = [];
  alone.page.on("request", (request) => request.url().includes("/hub/api/") && asked.push(new URL(request.url()).pathname));
  await alone.page.goto("hub/spawn");
  same(asked, [], "what was asked of a document that has just come");
  await alone.page.addInitScript(() => {
    const now = performance.now.bind(performance);
    performance.now = () => now() + 31_000;
  });
  await alone.page.goto("hub/spawn", { waitUntil: "commit" });
  await alone.page.evaluate(() => {
    window.came = [];
    const look = () => window.came.push(document.querySelectorAll("form button").length > 0);
    new MutationObserver(look).observe(document.documentElement, { childList: true });
  });
  await running(alone.page);
  same((await alone.page.evaluate(() => window.came)).at(-1), true, "whether the page came with its form");
  same(asked.map((path) => path.split("/").at(-1)).sort(), ["options", "site", "user"], "what was asked");

  step("what is pressed is not carried out on something else, nor is Enter in a search for the whole form");
  const started = [];
  page.on("request", (request) => request.method() === "POST" && started.push(request.url()));
  await hold();
  await page.goto("hub/spawn", { waitUntil: "commit" });
  await sees(button("start"));
  await page.evaluate(() => document.querySelector("header button").remove()); // As if the page drew one more.
  await button("copyLink").click(); // Start has its place on the page.
  takeOver();
  await running(page);
  await sees(text("roomNow"));
  const other = await enter();
  await other.page.goto("hub/login");
  await signIn(other, "many-accounts");
  const search = other.page.getByRole("searchbox", { name: say.accountFilter });
  await other.page.goto("hub/spawn");
  await sees(search);
  let letGo;
  const kept = new Promise((resolve) => (letGo = resolve));
  await other.page.route("**/*.wasm", async (route) => route.continue(await kept));
  other.page.on("request", (request) => request.method() === "POST" && started.push(request.url()));
  await other.page.goto("hub/spawn", { waitUntil: "commit" });
  await search.fill("group07");
  await search.press("Enter");
  letGo();
  await running(other.page);
  await sees(other.page.getByText(/^1 of 40/));
  same(started, [], "what was started");

  step("Start, pressed twice before the page runs, starts what the form says");
  await hold();
  await page.goto("hub/spawn", { waitUntil: "commit" });
  await field("cores").fill("2");
  await field("cores").press("Enter");
  await button("start").dispatchEvent("click"); // It looks busy by now.
  takeOver();
  await page.waitForURL("**/user/ada/**");

  step("a server is stopped with one question, however often Stop is pressed before the page runs");
  await hold();
  await page.goto("hub/home", { waitUntil: "commit" });
  await button("stop").click();
  await button("stop").dispatchEvent("click");
  takeOver();
  await sees(button("stopYes"));
  await button("stopNo").click();
  await stop(person);
});
