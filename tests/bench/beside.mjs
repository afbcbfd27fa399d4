// Slipway's log in and form beside JupyterHub's, bare and behind an nginx that compresses (its fair best case), in turn,
// on a slow line; as tables in Markdown. Each visit has a browser of its own, with caches as people have them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OPTIONS, chromium, counted, median, shown } from "./browser.mjs";

const { SITE, PASSWORD, HUB, HUB_GZIP } = process.env;
const ROUNDS = 5;
const NEXT = `hub/login?next=${encodeURIComponent("/hub/spawn")}`;
// For so long somebody looks at a page before its next visit: browsers keep what they compiled when they have the time.
const STAY = 2_000;

const hub = {
  name: "#username_input", password: "#password_input", press: "#login_submit", form: "#spawn_form [type=submit]",
  async signIn(request, site) {
    const token = (await (await request.get(`${site}hub/login`)).text()).match(/name="_xsrf" value="([^"]*)"/)[1];
    await request.post(`${site}hub/login`, { form: { username: "ada", password: PASSWORD, _xsrf: token }, maxRedirects: 0 });
  },
};
const slipway = {
  name: "#username", password: "#password", press: ".login .buttons button", form: "#cores",
  running: "html:not([data-draft]) .header__tools", // The page says so by taking the mark away.
  signIn: (request, site) => request.post(`${site}hub/api/login`, { data: { username: "ada", password: PASSWORD } }),
};
const WAYS = { Slipway: [SITE, slipway], JupyterHub: [HUB, hub], "JupyterHub, gzip": [HUB_GZIP, hub] };

const isVisible = (selector) => document.querySelector(selector)?.checkVisibility() === true;

async function visit([site, way], journey) {
  const folder = mkdtempSync(join(tmpdir(), "slipway-beside-"));
  const context = await chromium.launchPersistentContext(folder, OPTIONS);
  try {
    return await journey(context, site, way);
  } finally {
    await context.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

// With the times from which on there was something to type into, and from which on the page itself ran: JupyterHub's forms
// are documents, which are all there is.
async function open(context, url, selector, running = selector) {
  const page = await context.newPage();
  const found = await counted(page, true);
  // Looked for in each frame by the page itself: somebody from outside would have to wait for a busy page.
  await page.addInitScript((wanted) => {
    window.seenAt = {};
    const look = () => {
      for (const [name, selector] of Object.entries(wanted)) {
        if (document.querySelector(selector)?.checkVisibility()) window.seenAt[name] ??= performance.now();
      }
      if (Object.keys(window.seenAt).length < Object.keys(wanted).length) requestAnimationFrame(look);
    };
    look();
  }, { usable: selector, running });
  await page.goto(url, { waitUntil: "load" });
  const times = await shown(page, () => window.seenAt.usable && window.seenAt.running);
  return { page, found, times: { ...times, ...(await page.evaluate(() => window.seenAt)) } };
}

// A page, opened for the first time and again.
const twice = (path, key, signedIn) => async (context, site, way) => {
  if (signedIn) {
    await way.signIn(context.request, site);
  }
  const visits = {};
  for (const cache of ["cold", "warm"]) {
    const { page, found, times } = await open(context, site + path, way[key], way.running);
    visits[cache] = { ...found, ...times };
    await page.waitForTimeout(STAY);
    await page.close();
  }
  return visits;
};

// Logging in and being led to the form, from nothing.
async function journey(context, site, way) {
  const { page, found, times } = await open(context, site + NEXT, way.name);
  await page.fill(way.name, "ada");
  await page.fill(way.password, PASSWORD);
  const began = Date.now();
  await page.click(way.press);
  await page.waitForURL("**/hub/spawn");
  await page.waitForFunction(isVisible, way.form);
  const usable = Date.now() - began;
  await page.waitForLoadState("networkidle");
  return { cold: { ...found, paint: times.paint, usable, running: usable } };
}

console.log("\n### Beside JupyterHub, on a slow line\n\n| | | | requests | bytes | first paint ms | usable ms | page runs ms | bytes, × | usable, × | runs, × their usable |\n|---|---|---|---|---|---|---|---|---|---|---|");
const MEASURED = {
  "log in": twice("hub/login", "name", false),
  form: twice("hub/spawn", "form", true),
  "log in, then the form": journey,
};
const times = (n) => n.toFixed(2);
for (const [name, measured] of Object.entries(MEASURED)) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = {};
    for (const [who, way] of Object.entries(WAYS)) {
      found[who] = await visit(way, measured);
    }
    rounds.push(found);
  }
  for (const cache of Object.keys(rounds[0].Slipway)) {
    for (const who of Object.keys(WAYS)) {
      const of = (key) => median(rounds.map((found) => found[who][cache][key]));
      // What Slipway needs of theirs, in the same round.
      const part = (key, theirs = key) => median(rounds.map((found) => found.Slipway[cache][key] / found[who][cache][theirs]), times);
      const parts = who === "Slipway" ? " | | " : `${part("bytes")} | ${part("usable")} | ${part("running", "usable")}`;
      const own = ["requests", "bytes", "paint", "usable", "running"].map(of).join(" | ");
      console.log(`| ${name} | ${cache} | ${who} | ${own} | ${parts} |`);
    }
  }
}
