// Bytes and time to use of the page, cold and warm, on this machine and on a slow line (1.6 Mbit/s, 150 ms,
// a processor four times slower), as tables in Markdown. "Usable" is when the page's own code has the form.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.SLIPWAY_NODE}/`);
const { chromium } = require("playwright-core");
const { SITE, PASSWORD, SLIPWAY_CHROMIUM } = process.env;
const ROUNDS = 7;
const FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const SLOW = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 94_000 };
const PAGES = { login: "hub/login", options: "hub/spawn", home: "hub/home" };

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const show = (n) => Math.round(n).toLocaleString("en");
  return `${show(sorted[sorted.length >> 1])} (${show(sorted[0])}–${show(sorted.at(-1))})`;
};

async function load(page, path, slow) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  if (slow) {
    await session.send("Network.emulateNetworkConditions", SLOW);
    await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  }
  let bytes = 0, requests = 0;
  session.on("Network.loadingFinished", (event) => { bytes += event.encodedDataLength; });
  session.on("Network.responseReceived", (event) => { if (!event.response.fromDiskCache) requests += 1; });
  await page.goto(SITE + path, { waitUntil: "commit" });
  // The document has a header of its own; its tools are the page's.
  await page.waitForFunction(() => [".header__tools", "h1"].every((part) => document.querySelector(part)) && !document.querySelector(".waiting"));
  await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length);
  const { usable, paint } = await page.evaluate(() => ({
    usable: performance.now(),
    paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
  }));
  await session.detach();
  return { bytes, requests, usable, paint };
}

const browser = await chromium.launch({ executablePath: SLIPWAY_CHROMIUM, args: FLAGS.split(" ") });
console.log("\n### The page\n\n| page | line | cache | requests | bytes | first paint ms | usable ms |\n|---|---|---|---|---|---|---|");
for (const [name, path] of Object.entries(PAGES)) {
  for (const slow of [false, true]) {
    const found = { cold: [], warm: [] };
    for (let round = 0; round < ROUNDS; round += 1) {
      const context = await browser.newContext();
      if (name !== "login") {
        await context.request.post(`${SITE}hub/api/login`, { data: { username: "ada", password: PASSWORD } });
      }
      for (const cache of ["cold", "warm"]) {
        const page = await context.newPage();
        found[cache].push(await load(page, path, slow));
        await page.close();
      }
      await context.close();
    }
    for (const [cache, all] of Object.entries(found)) {
      const column = (key) => median(all.map((one) => one[key]));
      console.log(`| ${name} | ${slow ? "slow" : "local"} | ${cache} | ${["requests", "bytes", "paint", "usable"].map(column).join(" | ")} |`);
    }
  }
}

// From the click on Start to the page that follows it, and that withdrawn again.
const [clicks, pages] = [[], []];
const context = await browser.newContext();
await context.request.post(`${SITE}hub/api/login`, { data: { username: "waits", password: PASSWORD } });
const page = await context.newPage();
for (let round = 0; round < ROUNDS; round += 1) {
  await page.goto(`${SITE}hub/home`);
  await page.getByRole("button", { name: "Start", exact: true }).waitFor();
  const [sent, shown] = await page.evaluate(async () => {
    const until = async (is) => { while (!is()) await new Promise(requestAnimationFrame); return performance.now(); };
    const began = performance.now();
    [...document.querySelectorAll("main button")].find((button) => button.textContent === "Start").click();
    const shown = await until(() => document.querySelector(".steps"));
    const answer = performance.getEntriesByType("resource").find((entry) => entry.name.endsWith("/server"));
    return [answer.responseEnd - began, shown - began];
  });
  clicks.push(sent);
  pages.push(shown);
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "The start was cancelled" }).waitFor();
}
await context.close();
console.log(`\nClick on Start → the job is accepted: ${median(clicks)} ms; → the page that follows it: ${median(pages)} ms`);
await browser.close();
