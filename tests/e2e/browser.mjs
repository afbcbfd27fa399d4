// What every story needs: a browser, people in it, and the demands that hold for each page they see.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import path from "node:path";
import { words } from "./words.mjs";

const require = createRequire(process.env.SLIPWAY_NODE + "/");
const { chromium } = require("playwright-core");
const axe = require("axe-core");

/** What the test in main.rs told: `name`, `url`, `passwords` by name, `pictures` (a folder), and more by story. */
export const story = JSON.parse(process.env.STORY);

const DEADLINE = Number(process.env.DEADLINE ?? 45_000);
const FLAGS = [
  "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

const began = Date.now();

/** Says what the person does next. */
export function step(what) {
  console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${what}`);
}

/** Tells a story. It fails with its first step that fails, or if the browser complained about a page. */
export async function tell(play) {
  const browser = await chromium.launch({ executablePath: process.env.SLIPWAY_CHROMIUM, chromiumSandbox: false, args: FLAGS });
  await mkdir(story.pictures, { recursive: true });
  const people = [];
  try {
    await play(async (options) => {
      const person = await enter(browser, options);
      people.push(person);
      return person;
    });
    for (const { complaints } of people) same(complaints, [], "what the browser complained about");
    step("The end.");
  } catch (error) {
    console.log(error.stack);
    for (const [n, page] of people.flatMap((person) => person.context.pages()).entries()) {
      const file = path.join(story.pictures, `failed-${story.name}-${n}.png`);
      console.log(`${page.url()}, as in ${file}`);
      await page.screenshot({ path: file }).catch((reason) => console.log(reason.message));
    }
    for (const { complaints } of people) for (const complaint of complaints) console.log(complaint);
    process.exitCode = 1;
  } finally {
    await browser.close();
    process.stdin.destroy();
  }
}

/** Somebody who opens the browser: in a language, on a screen, in light or dark. */
async function enter(browser, { language = "en", screen = DESKTOP, colours = "light", scripts = true } = {}) {
  const context = await browser.newContext({
    baseURL: story.url, viewport: screen, colorScheme: colours, locale: `${language}-CA`, timezoneId: "America/Toronto",
    javaScriptEnabled: scripts, reducedMotion: "reduce", isMobile: screen === PHONE, hasTouch: screen === PHONE,
  });
  context.setDefaultTimeout(DEADLINE);
  // Chromium logs every answer that is an error. The page asks who is signed in, and it may be nobody.
  const [complaints, allowed] = [[], [/status of 401 .*\/hub\/api\/user$/]];
  const complain = (page, text) => {
    if (!allowed.some((pattern) => pattern.test(text))) complaints.push(`${page.url()}: ${text}`);
  };
  context.on("page", (page) => {
    page.on("console", (message) => message.type() === "error" && complain(page, `${message.text()} ${message.location().url}`));
    page.on("pageerror", (error) => complain(page, error.stack));
    page.on("crash", () => complain(page, "the page crashed"));
  });
  await context.addInitScript(() => document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy: ${event.effectiveDirective} ${event.blockedURI}`)));
  // Nothing jumps: more than 0.02 in a document before anything is pressed, or while a start is followed, is a complaint. Not of
  // what somebody has just done, which is what they wait for; nor of Jupyter's;
  // nor of a start's steps, which make room for what the current one says, or of the link to skip, which comes with the focus.
  await context.addInitScript(() => {
    let moved = 0;
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput, sources } of list.getEntries()) {
        const mayMove = ({ node }) => node?.nodeType === Node.ELEMENT_NODE && node.matches(".steps *, .skip-link");
        const isFollowed = location.pathname.includes("/hub/spawn-pending/");
        const isUntouched = location.pathname.includes("/hub/") && !navigator.userActivation.hasBeenActive;
        if (hadRecentInput || !(isFollowed || isUntouched)) continue;
        if (sources.length && sources.every(mayMove)) continue;
        const before = moved;
        moved += value;
        const what = sources.map(({ node }) => `${node?.parentElement?.className ?? ""} > ${node?.className ?? node?.nodeName}`);
        if (before <= 0.02 && moved > 0.02) console.error(`layout shift ${moved.toFixed(3)}: ${what}`);
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  /** The browser may complain like this, for a reason. */
  const allow = (pattern, _reason) => allowed.push(pattern);
  const page = await context.newPage();
  // What the server draws is there before the page runs, and looks the same: a story about the page waits for it.
  for (const go of ["goto", "reload"]) {
    const plain = page[go].bind(page);
    page[go] = async (...how) => {
      const answer = await plain(...how);
      if (scripts && how.at(-1)?.waitUntil !== "commit") await running(page);
      return answer;
    };
  }
  return { context, complaints, allow, language, screen, colours, scripts, page };
}

/** Waits until the page itself has taken over what the server drew. */
export async function running(page) {
  await page.waitForFunction(() => document.documentElement.dataset.draft !== "yes");
}

/** Waits until all of these are seen. */
export async function sees(...locators) {
  for (const locator of locators) await locator.first().waitFor();
}

/** Waits until none of these is there. */
export async function gone(...locators) {
  for (const locator of locators) await locator.first().waitFor({ state: "hidden" });
}

/** Waits until there is an answer. */
export async function until(what, ask) {
  for (const start = Date.now(); Date.now() - start < DEADLINE; ) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error(`waited in vain for ${what}`);
}

/** Demands that two values are the same. */
export function same(found, wanted, what) {
  const [a, b] = [found, wanted].map((value) => JSON.stringify(value, null, 1));
  if (a !== b) throw new Error(`${what}: ${a} is not ${b}`);
}

/** Waits until an element has the focus. */
export async function focused(locator) {
  await sees(locator);
  await until(`focus on ${locator}`, () => locator.evaluate((element) => element === document.activeElement));
}

/** Types name and password into the page to log in, and presses its button. */
export async function fillSignIn({ page, language }, name, password = story.passwords[name]) {
  const say = words[language];
  await page.getByLabel(say.username, { exact: true }).fill(name);
  await page.getByLabel(say.password, { exact: true }).fill(password);
  await page.getByRole("button", { name: say.logIn }).click();
}

/** Signs in, wherever the page is, and waits until that has worked. */
export async function signIn(person, name) {
  await fillSignIn(person, name);
  await sees(person.page.getByRole("link", { name: words[person.language].logOut }));
}

/** Whether a page is accessible, as far as a machine can tell. */
export async function audit(page, name) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe.source);
  const results = await page.evaluate((values) => globalThis.axe.run({ runOnly: { type: "tag", values } }), RULES);
  const found = results.violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html}`));
  same(found, [], `accessibility of ${name}`);
}

/** Whether everything fits into the width of the screen. */
export async function fits(page, name) {
  const [content, screen] = await page.evaluate(() => {
    const root = document.scrollingElement;
    return [root.scrollWidth, root.clientWidth];
  });
  if (content > screen) throw new Error(`${name} is ${content} px wide on a screen of ${screen}`);
}

/** A picture, for people to look at. */
export async function picture(page, name, { language, screen, colours }) {
  const file = path.join(story.pictures, `${name}-${language}-${screen.width}-${colours}.png`);
  // With `hide` a style is put into the page, which its policy forbids.
  await page.screenshot({ path: file, fullPage: true, caret: "initial" });
}

/** What a screen reader is given of a page, as in `trees/NAME.yml`; with SLIPWAY_WRITE_TREES that is written anew. */
export async function tree(page, name) {
  const file = new URL(`trees/${name}.yml`, import.meta.url);
  // Of times and the version there is only that they are there.
  const found = `${await page.locator("body").ariaSnapshot()}\n`
    .replace(/\b\d+\s(?:h|min)(?: \d+\s(?:min|s))? left/g, "0 h left")
    .replace(/(waited|started in) \d+\s(?:min|s)(?: \d+\s(?:min|s))?/g, "$1 0 s").replace(/\b\d+:\d+(?: tomorrow| yesterday)?/g, "0:00")
    .replace(/Slipway \d+\.\d+\.\d+/, "Slipway 0.0.0");
  if (process.env.SLIPWAY_WRITE_TREES) await writeFile(file, found);
  same(found.split("\n"), (await readFile(file, "utf8")).split("\n"), `the tree of ${name}`);
}

/** All that is demanded of a page as it is now. Where scripts are off, axe cannot run. */
export async function inspect({ page, scripts, ...look }, name) {
  const whole = `${name} (${look.language}, ${look.screen.width} px, ${look.colours})`;
  await fits(page, whole);
  if (scripts) {
    // All of it at once: what a bar covers at this moment, it does not at another.
    const { width, height } = page.viewportSize();
    await page.setViewportSize({ width, height: await page.evaluate(() => document.documentElement.scrollHeight) });
    await audit(page, whole);
    await page.setViewportSize({ width, height });
  }
  await picture(page, name, look);
}

const WIDE = { width: 1920, height: 1080 };
const SCREENS = [DESKTOP, { width: 768, height: 1024 }, { width: 320, height: 640 }];

/** The same in both languages, light and dark, wide and narrow, changed in place; then as it was before. */
export async function inspectAll(person, name, languages = ["fr", "en"]) {
  const { page, scripts } = person;
  step(`   pictures of ${name}`);
  for (const language of languages) {
    if (languages.length > 1) await speak(page, language);
    for (const colours of ["dark", "light"]) {
      await page.emulateMedia({ colorScheme: colours });
      for (const screen of SCREENS) {
        await page.setViewportSize(screen);
        await inspect({ page, scripts, language, colours, screen }, name);
      }
    }
  }
  await page.setViewportSize(person.screen);
  // With a person's own colours, and on a screen that is wider than a page should be; the same elements.
  const look = { ...person, language: languages.at(-1) };
  await page.emulateMedia({ forcedColors: "active" });
  await picture(page, name, { ...look, colours: "forced" });
  await page.emulateMedia({ forcedColors: "none" });
  await page.setViewportSize(WIDE);
  await picture(page, name, { ...look, screen: WIDE });
  await page.setViewportSize(person.screen);
}

/** Changes the language of the page in place. */
export async function speak(page, language) {
  await page.getByRole("button", { name: { en: "English", fr: "Français" }[language], exact: true }).click();
  await until(language, () => page.evaluate((wanted) => document.documentElement.lang.startsWith(wanted), language));
}

const requests = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Asks the test in main.rs to do something, and waits until it has. What it says about it. */
export async function please(what) {
  console.log(`please ${what}`);
  return (await requests.next()).value;
}

/** The cookies of these `Set-Cookie` lines, as a browser context takes them. */
export function cookies(lines) {
  return lines.map((line) => {
    const [pair, ...attributes] = line.split("; ");
    const split = pair.indexOf("=");
    const path = attributes.find((attribute) => attribute.startsWith("Path=")).slice("Path=".length);
    const { hostname } = new URL(story.url);
    return { name: pair.slice(0, split), value: pair.slice(split + 1), domain: hostname, path, httpOnly: true, sameSite: "Lax" };
  });
}

/** From now on this browser's sign-in ends in so many seconds. */
export async function endsIn(context, seconds) {
  await context.addCookies(cookies(JSON.parse(await please(`seconds of ada: ${seconds}`))));
}
