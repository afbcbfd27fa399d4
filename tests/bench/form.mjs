// With a large cluster and a processor four times slower: milliseconds from opening a page to the form taking input, which has
// its data in the same document; what that is more than a page of ours with next to nothing on it; and to the page itself
// running. One line for each round.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.SLIPWAY_NODE}/`);
const { chromium } = require("playwright-core");
const { SITE, COOKIES, SLIPWAY_CHROMIUM, ROUNDS } = process.env;

const browser = await chromium.launch({ executablePath: SLIPWAY_CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
const context = await browser.newContext();
await context.addCookies(JSON.parse(COOKIES).map(([name, value]) => ({ name, value, url: SITE })));

async function open(path, selector) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.addInitScript((selector) => {
    window.seenAt = {};
    const look = () => {
      if (document.querySelector(selector)?.checkVisibility()) {
        window.seenAt.usable ??= performance.now();
        if (document.documentElement.dataset.draft !== "yes") window.seenAt.running ??= performance.now();
      }
      if (!window.seenAt.running) requestAnimationFrame(look);
    };
    look();
  }, selector);
  await page.goto(SITE + path, { waitUntil: "load" });
  await page.waitForFunction(() => window.seenAt.running);
  const found = await page.evaluate(() => {
    const asked = performance.getEntriesByType("resource").filter((entry) => entry.name.endsWith("/api/options"));
    return { ...window.seenAt, asked: asked.length };
  });
  await page.close();
  if (found.asked !== 0) throw new Error(`the options, which came with the document, were asked for ${found.asked} times`);
  return found;
}

for (let round = 0; round <= Number(ROUNDS); round += 1) {
  const plain = await open("hub/nothing-of-this-name", "main h1, main p");
  const form = await open("hub/spawn", "#cores");
  const took = [form.usable, form.usable - plain.usable, form.running];
  if (round > 0) console.log(took.map((ms) => ms.toFixed(1)).join(" ")); // The first one fills the cache.
}
await browser.close();
