// Bytes of the page, and its time to something to use and to running itself, cold and warm, on this machine and on a slow line
// (1.6 Mbit/s, 150 ms, a processor four times slower), as tables in Markdown. Something to use is there with the first paint.
import { OPTIONS, chromium, counted, median, shown } from "./browser.mjs";

const { SITE, PASSWORD } = process.env;
const ROUNDS = 7;
const PAGES = { login: "hub/login", options: "hub/spawn", home: "hub/home" };

async function load(page, path, slow) {
  const found = await counted(page, slow);
  await page.goto(SITE + path, { waitUntil: "commit" });
  // What the server draws looks the same; the page takes its mark away.
  const times = await shown(page, () => !("draft" in document.documentElement.dataset));
  return { ...found, ...times };
}

const browser = await chromium.launch(OPTIONS);
console.log("\n### The page\n\n| page | line | cache | requests | bytes | first paint ms | page runs ms |\n|---|---|---|---|---|---|---|");
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
  await page.waitForFunction(() => document.documentElement.dataset.draft !== "yes");
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
