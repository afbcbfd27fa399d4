// With a large cluster and a processor four times slower: milliseconds from the data, which come with the document, to a form
// that takes input; from opening the page to that; and to the page itself running. One line for each round.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.SLIPWAY_NODE}/`);
const { chromium } = require("playwright-core");
const { SITE, COOKIES, SLIPWAY_CHROMIUM, ROUNDS } = process.env;

const browser = await chromium.launch({ executablePath: SLIPWAY_CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
const context = await browser.newContext();
await context.addCookies(JSON.parse(COOKIES).map(([name, value]) => ({ name, value, url: SITE })));
await context.addInitScript(() => {
  window.seenAt = {};
  const look = () => {
    if (document.querySelector("#cores")?.checkVisibility()) {
      window.seenAt.usable ??= performance.now();
      if (document.documentElement.dataset.draft !== "yes") window.seenAt.running ??= performance.now();
    }
    if (!window.seenAt.running) requestAnimationFrame(look);
  };
  look();
});
for (let round = 0; round <= Number(ROUNDS); round += 1) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.goto(`${SITE}hub/spawn`, { waitUntil: "load" });
  await page.waitForFunction(() => window.seenAt.running);
  const took = await page.evaluate(() => {
    const asked = performance.getEntriesByType("resource").filter((entry) => entry.name.endsWith("/api/options"));
    if (asked.length !== 0) throw new Error(`the options, which came with the document, were asked for ${asked.length} times`);
    const [{ responseEnd }] = performance.getEntriesByType("navigation");
    const { usable, running } = window.seenAt;
    return [usable - responseEnd, usable, running];
  });
  if (round > 0) console.log(took.map((ms) => ms.toFixed(1)).join(" ")); // The first one fills the cache.
  await page.close();
}
await browser.close();
