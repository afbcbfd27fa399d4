// At 400 % zoom and on a phone, by keyboard alone: whatever has the focus can be seen, whole or at least its middle.
import { PHONE, inspect, same, sees, step, story, tell } from "./browser.mjs";
import { look } from "./server.mjs";

// A window of 1280 × 1024 at 400 %.
const ZOOMED = { width: 320, height: 256 };

await tell(async (enter) => {
  for (const screen of [ZOOMED, PHONE]) {
    const person = await enter({ screen });
    const { page } = person;
    const { keyboard } = page;
    const { heading, button, link, text } = look(person);
    const how = `${screen.width} × ${screen.height}`;

    /** Goes through the whole page by this key, to the end; what there was of it, and what of that was hidden. */
    const walk = async (key) => {
      const [names, hidden] = [[], []];
      for (;;) {
        await keyboard.press(key);
        const found = await page.evaluate(() => {
          const element = document.activeElement;
          if (!element || element === document.body || element.dataset.walked) return null;
          element.dataset.walked = "yes";
          // A radio button is its whole card.
          const box = element.closest(".choice__card") ?? element;
          const { left, right, top, bottom } = box.getBoundingClientRect();
          const [from, to] = [Math.max(top, 0), Math.min(bottom, innerHeight)];
          const there = document.elementFromPoint((left + right) / 2, (from + to) / 2);
          const seen = to - from > 8 && there && (box.contains(there) || there.contains(box));
          return { name: element.textContent || element.id || element.tagName, seen };
        });
        if (!found) break;
        names.push(found.name);
        if (!found.seen) hidden.push(found.name);
      }
      await page.evaluate(() => document.querySelectorAll("[data-walked]").forEach((element) => delete element.dataset.walked));
      same(hidden, [], `what has the focus and is hidden, after ${key}, on a screen of ${how}`);
      return names.length;
    };
    const thereAndBack = async (least) => {
      await page.getByRole("link").first().focus(); // The one to skip the rest.
      const counts = [await walk("Tab"), await walk("Shift+Tab")];
      if (Math.min(...counts) < least) throw new Error(`only ${counts} things to reach`);
    };

    step(`log in, on a screen of ${how}`);
    await page.goto("hub/login");
    await sees(button("showPassword"));
    await thereAndBack(8);
    await inspect({ ...person, screen }, "small-login");
    await page.getByLabel(look(person).say.username, { exact: true }).focus();
    await keyboard.type(story.person);
    await keyboard.press("Tab");
    await keyboard.type(story.passwords[story.person]);
    await keyboard.press("Enter");
    await sees(heading("home"), link("logOut"));

    step("the options");
    await page.goto("hub/spawn");
    await sees(heading("options"), button("start"));
    await thereAndBack(18);
    await inspect({ ...person, screen }, "small-options");

    step("start, and home");
    await button("start").focus();
    await keyboard.press("Enter");
    await page.waitForURL(`**/user/${story.person}/lab`);
    await page.goto("hub/home");
    await sees(link("open"));
    await thereAndBack(9);
    await inspect({ ...person, screen }, "small-home");
    await button("stop").focus();
    await keyboard.press("Enter");
    await keyboard.press("Shift+Tab");
    await keyboard.press("Enter");
    await sees(text("noServer"));
  }
});
