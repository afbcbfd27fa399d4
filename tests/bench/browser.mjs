// What the measurements in a browser share: Chromium, a slow line, and numbers with their spread.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.SLIPWAY_NODE}/`);
export const { chromium } = require("playwright-core");
export const OPTIONS = {
  executablePath: process.env.SLIPWAY_CHROMIUM,
  args: "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split(" "),
};
const SLOW = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 94_000 };

// The middle of the numbers, with the least and the greatest.
export const median = (numbers, show = (n) => Math.round(n).toLocaleString("en")) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return `${show(sorted[sorted.length >> 1])} (${show(sorted[0])}–${show(sorted.at(-1))})`;
};

// Counts what a page asks and gets from now on, redirects and all; on a slow line of a slow machine, if that is wanted.
export async function counted(page, slow) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  if (slow) {
    await session.send("Network.emulateNetworkConditions", SLOW);
    await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  }
  // By request: one that a page leaves while its answer is on its way is heard of no more, and still comes, by its length.
  const answers = new Map();
  const kept = new Set(); // What the browser has in its memory.
  session.on("Network.requestServedFromCache", ({ requestId }) => kept.add(requestId));
  session.on("Network.requestWillBeSent", ({ requestId, redirectResponse }) => {
    if (redirectResponse) answers.set(`${requestId} to ${redirectResponse.url}`, redirectResponse.encodedDataLength);
  });
  session.on("Network.responseReceived", ({ requestId, response }) => {
    if (response.fromDiskCache || kept.has(requestId)) return;
    const length = Object.entries(response.headers).find(([name]) => name.toLowerCase() === "content-length");
    answers.set(requestId, response.encodedDataLength + Number(length?.[1] ?? 0));
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (answers.has(requestId)) answers.set(requestId, encodedDataLength);
  });
  const found = {
    get bytes() { return [...answers.values()].reduce((all, bytes) => all + bytes, 0); },
    get requests() { return answers.size; },
  };
  return found;
}

// When the page is as it should be, and when something was painted first; in milliseconds from its beginning.
export async function shown(page, isThere, argument) {
  await page.waitForFunction(isThere, argument);
  await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length);
  return page.evaluate(() => ({
    usable: performance.now(),
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
  }));
}
