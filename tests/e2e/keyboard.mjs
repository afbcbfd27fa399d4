// The whole way by keyboard alone, with the focus always in sight and in a sensible order.
import { focused, same, sees, step, story, tell, tree, until } from "./browser.mjs";
import { look } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { page } = person;
  const { heading, button, link, field, text } = look(person);
  const { keyboard } = page;

  /** Presses a key again and again; each time the focus has to arrive, in sight, at the next of these. */
  const walk = async (key, ...stops) => {
    for (const stop of stops) {
      await keyboard.press(key);
      same(await focus(), stop, `the focus after ${key}`);
    }
  };
  const focus = async () => {
    const element = page.locator(":focus");
    const seen = await element.evaluate((element) => {
      const { top, bottom } = element.getBoundingClientRect();
      const marked = [element, element.parentElement].some((marked) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(marked);
        return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
      });
      return marked && top >= 0 && bottom <= innerHeight;
    });
    const [name] = (await element.ariaSnapshot()).match(/[a-z]+ "[^"]*"/) ?? [""];
    return seen ? name : `${name}, out of sight`;
  };
  const frame = ['link "Slipway"', 'button "English"', 'button "Français"', 'combobox "Colours"'];
  const foot = ['link "Documentation"', 'link "Service status"'];

  step("back to the skip link, over it to the form, and log in");
  await page.goto("hub/login");
  await sees(button("showPassword"));
  await focused(field("username"));
  await tree(page, "login");
  await walk("Shift+Tab", ...[...frame].reverse(), 'link "Skip to the content"');
  await keyboard.press("Enter");
  await walk("Tab", 'textbox "Username"');
  await keyboard.type(story.person);
  await walk("Tab", 'textbox "Password"');
  await keyboard.type(story.passwords[story.person]);
  await walk("Tab", 'button "Show the password"');
  await keyboard.press("Space");
  await sees(page.getByRole("button", { name: "Hide the password" }));
  await walk("Tab", 'button "Log in"', ...foot);
  await walk("Shift+Tab", foot[0], 'button "Log in"');
  await keyboard.press("Enter");
  await sees(heading("home"), button("start"));

  step("to the options");
  await focused(heading("home"));
  await tree(page, "home");
  await walk("Tab", 'button "Start"', 'link "Change"');
  await keyboard.press("Enter");
  await focused(heading("options"));
  await walk("Shift+Tab", 'link "Log out"', ...[...frame].reverse());
  await walk("Tab", ...frame.slice(1), 'link "Log out"');

  step("choose");
  await walk("Tab", 'combobox "Compute account"');
  await keyboard.press("ArrowDown");
  await walk("Tab", 'textbox "Time, in hours"', 'button "1 h"', 'button "3 h"');
  await keyboard.press("Enter");
  await walk("Tab", 'button "6 h"', 'textbox "Cores"');
  await keyboard.press("Control+a");
  await keyboard.type("2");
  await walk("Tab", 'textbox "Memory, in GB"', 'button "4 GB per core: 8 GB"');
  await keyboard.press("Space");
  await walk("Tab", 'radio "JupyterLab recommended"');
  await walk("ArrowDown", 'radio "Notebook"', 'radio "Terminal"');
  await walk("ArrowUp", 'radio "Notebook"');
  await sees(page.getByText(/^Notebook for 3\sh, until .*, 2\scores, 8\sGB, charged to rrg-ada/));
  await tree(page, "options");
  await walk("Tab", 'button "Start"');

  step("start");
  await keyboard.press("Enter");
  await page.waitForURL(`**/user/${story.person}/tree`);

  step("stop: the question takes the focus, and gives it back");
  await page.goto("hub/home");
  await sees(link("open"));
  await tree(page, "home-running");
  await walk("Tab", 'link "Skip to the content"', ...frame, 'link "Log out"', 'link "Open"', 'button "Stop"');
  await keyboard.press("Enter");
  await focused(button("stopNo"));
  await keyboard.press("Enter");
  await focused(button("stop"));
  await keyboard.press("Space");
  await focused(button("stopNo"));
  await walk("Shift+Tab", 'button "Stop it"');
  await keyboard.press("Enter");
  await sees(text("noServer"), text("wasStopped"));
  await tree(page, "home-stopped");

  step("the focus has not been lost on the way");
  await until("focus", () => page.evaluate(() => document.activeElement !== document.body));
});
