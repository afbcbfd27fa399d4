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

const answer = await fetch(`${SITE}hub/api/login`, {
  method: "POST", body: JSON.stringify({ username: "ada", password: PASSWORD }),
  headers: { "content-type": "application/json", origin: new URL(SITE).origin },
});
const cookie = answer.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");

console.log("\n### Lighthouse, mobile\n\n| page | performance | accessibility | best practices | layout shift | to mend |\n|---|---|---|---|---|---|");
const browser = await launch({ chromePath: SLIPWAY_CHROMIUM, chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"], logLevel: "error" });
try {
  for (const [name, at] of Object.entries(PAGES)) {
    const marks = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const { lhr } = await lighthouse(SITE + at, {
        port: browser.port, logLevel: "error", onlyCategories: ["performance", "accessibility", "best-practices"],
        extraHeaders: name === "login" ? {} : { Cookie: cookie },
      });
      marks.push(lhr);
    }
    const of = (category) => marks.map((lhr) => Math.round(lhr.categories[category].score * 100)).sort((a, b) => a - b);
    const [least, middle, most] = ((all) => [all[0], all[ROUNDS >> 1], all.at(-1)])(of("performance"));
    const shift = Math.max(...marks.map((lhr) => lhr.audits["cumulative-layout-shift"].numericValue));
    const weak = new Set(marks.flatMap((lhr) => ["accessibility", "best-practices"].flatMap((category) =>
      lhr.categories[category].auditRefs.filter(({ id, weight }) => weight > 0 && lhr.audits[id].score !== null && lhr.audits[id].score < 1).map(({ id }) => id))));
    console.log(`| ${name} | ${middle} (${least}–${most}) | ${of("accessibility")[0]} | ${of("best-practices")[0]} | ${shift.toFixed(3)} | ${[...weak].join(", ")} |`);
  }
} finally {
  await browser.kill();
}
