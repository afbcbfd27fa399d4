// What people do with their server, in their language.
import { gone, sees } from "./browser.mjs";
import { words } from "./words.mjs";

/** What a person looks for by its words. */
export function look({ page, language }) {
  const say = words[language];
  return {
    say,
    heading: (name) => page.getByRole("heading", { level: 1, name: say[name], exact: true }),
    button: (name) => page.getByRole("button", { name: say[name], exact: true }),
    link: (name) => page.getByRole("link", { name: say[name], exact: true }),
    field: (name) => page.getByRole("textbox", { name: say[name], exact: true }),
    // The whole card is the radio button's label, and lies over it.
    choose: (name) => page.getByRole("radio", { name: new RegExp(`^${say[name]}`) }).check({ force: true }),
    text: (name) => page.getByText(say[name]),
  };
}

/** Presses Start, and waits until the interface has opened by itself. */
export async function start(person, url) {
  // The page that follows the start may be there for a blink only.
  await look(person).button("start").click();
  await person.page.waitForURL(url);
}

/** Presses Stop on the card of the running server, which asks once, and waits until it has ended. */
export async function stop(person) {
  const { button, text } = look(person);
  await button("stop").click();
  await button("stopYes").click();
  await sees(text("noServer"), text("wasStopped").first());
  await gone(button("stop"));
}
