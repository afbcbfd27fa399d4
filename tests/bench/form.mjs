// From opening the page to a form that takes input, with a large cluster and a processor four times slower:
// milliseconds, one line for each round. The data come before the page runs (backend/src/pages.rs): there is no wait
// for them to measure.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.SLIPWAY_NODE}/`);
const { chromium } = require("playwright-core");
const { SITE, COOKIES, SLIPWAY_CHROMIUM, ROUNDS } = process.env;

const browser = await chromium.launch({ executablePath: SLIPWAY_CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
const context = await browser.newContext();
await context.addCookies(JSON.parse(COOKIES).map(([name, value]) => ({ name, value, url: SITE })));
for (let round = 0; round <= Number(ROUNDS); round += 1) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.goto(`${SITE}hub/spawn`, { waitUntil: "commit" });
  const took = await page.evaluate(async () => {
    while (!document.querySelector(".summary button")) await new Promise(requestAnimationFrame);
    const usable = performance.now();
    const asked = performance.getEntriesByType("resource").filter((entry) => entry.name.endsWith("/api/options"));
    if (asked.length !== 1) throw new Error(`the options were asked for ${asked.length} times`);
    return usable;
  });
  if (round > 0) console.log(took.toFixed(1)); // The first one fills the cache.
  await page.close();
}
await browser.close();
