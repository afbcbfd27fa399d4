// Lighthouse's marks for a phone (its own slow line and processor), as a table in Markdown: the median of five for
// performance; of the others what is less than 100 is named.
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const { SITE, PASSWORD, SLIPWAY_CHROMIUM, SLIPWAY_TOOLS } = process.env;
const ROUNDS = 5;
const PAGES = { login: "hub/login", options: "hub/spawn", home: "hub/home" };

const require = createRequire(path.join(SLIPWAY_TOOLS, "node/lighthouse/"));
const { default: lighthouse } = await import(pathToFileURL(require.resolve("lighthouse")));
const { launch } = await import(pathToFileURL(createRequire(require.resolve("lighthouse")).resolve("chrome-launcher")));

const { chromium } = createRequire(`${process.env.SLIPWAY_NODE}/`)("playwright-core");
const answer = await fetch(`${SITE}hub/api/login`, {
  method: "POST", body: JSON.stringify({ username: "ada", password: PASSWORD }),
  headers: { "content-type": "application/json", origin: new URL(SITE).origin },
});
const cookies = answer.headers.getSetCookie().map((line) => {
  const [, name, value] = line.match(/^([^=]*)=([^;]*)/);
  return { name, value, url: SITE };
});

// Into the browser's own jar: a page may set cookies too, and those would be sent in place of a header's.
async function signIn(port) {
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  await browser.contexts()[0].addCookies(cookies);
  await browser.close(); // The connection only.
}

console.log("\n### Lighthouse, mobile\n\n| page | performance | accessibility | best practices | layout shift | to mend |\n|---|---|---|---|---|---|");
for (const [name, at] of Object.entries(PAGES)) {
  const marks = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    // A browser that has nothing but the sign-in.
    const browser = await launch({ chromePath: SLIPWAY_CHROMIUM, chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"], logLevel: "error" });
    try {
      if (name !== "login") await signIn(browser.port);
      const { lhr } = await lighthouse(SITE + at, {
        port: browser.port, logLevel: "error", onlyCategories: ["performance", "accessibility", "best-practices"],
        disableStorageReset: true, // It would sign out.
      });
      if (lhr.runtimeError?.code === "NO_NAVSTART") { // The browser's trace has no beginning: that is not the page's.
        round -= 1;
        continue;
      }
      if (lhr.runtimeError) throw new Error(`${at}: ${lhr.runtimeError.message}`);
      if (!lhr.finalDisplayedUrl.endsWith(at)) throw new Error(`${at} led to ${lhr.finalDisplayedUrl}`);
      marks.push(lhr);
    } finally {
      await browser.kill();
    }
  }
  const of = (category) => marks.map((lhr) => Math.round(lhr.categories[category].score * 100)).sort((a, b) => a - b);
  const [least, middle, most] = ((all) => [all[0], all[ROUNDS >> 1], all.at(-1)])(of("performance"));
  const shift = Math.max(...marks.map((lhr) => lhr.audits["cumulative-layout-shift"].numericValue));
  const weak = new Set(marks.flatMap((lhr) => ["accessibility", "best-practices"].flatMap((category) =>
    lhr.categories[category].auditRefs.filter(({ id, weight }) => weight > 0 && lhr.audits[id].score !== null && lhr.audits[id].score < 1).map(({ id }) => id))));
  console.log(`| ${name} | ${middle} (${least}–${most}) | ${of("accessibility")[0]} | ${of("best-practices")[0]} | ${shift.toFixed(3)} | ${[...weak].join(", ")} |`);
}
