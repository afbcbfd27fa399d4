// Logging in: in the wrong ways, in the right one, before the page has taken over, and without any script.
import { fillSignIn, focused, inspectAll, same, sees, signIn, step, story, tell } from "./browser.mjs";
import { look } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { page, allow } = person;
  const { say, heading, button, link, field, text } = look(person);
  const password = page.getByLabel(say.password, { exact: true });

  step("type before the page has taken over");
  let takeOver;
  const held = new Promise((resolve) => (takeOver = resolve));
  await page.route("**/*.wasm", async (route) => route.continue(await held));
  await page.goto("hub/login", { waitUntil: "commit" });
  await field("username").fill(story.person);
  await password.pressSequentially("half of it");
  await inspectAll(person, "login-first-paint", ["en"]);
  takeOver();
  await sees(button("showPassword"));
  same([await field("username").inputValue(), await password.inputValue()], [story.person, "half of it"], "what was typed");
  await focused(password);
  await password.press("!");
  same(await password.inputValue(), "half of it!", "what was typed before and after");

  step("log in with nothing");
  await field("username").fill("");
  await password.fill("");
  await inspectAll(person, "login");
  await button("logIn").click();
  await sees(text("nameMissing"), text("passwordMissing"));
  await focused(field("username"));
  await inspectAll(person, "login-empty");

  step("log in with a wrong password");
  allow(/status of 401 .*\/hub\/api\/login$/, "a wrong password");
  await fillSignIn(person, story.person, "not the password");
  await sees(page.getByRole("alert").filter({ hasText: say.wrongPassword }));
  await focused(password);
  same(await field("username").inputValue(), story.person, "the name that was typed");
  await inspectAll(person, "login-wrong");

  step("log in to an account that was not renewed");
  allow(/status of 403 .*\/hub\/api\/login$/, "an inactive account");
  await fillSignIn(person, "inactive");
  await sees(heading("inactive"), text("inactiveSince"));
  await inspectAll(person, "inactive");
  await button("tryAgain").click();

  step("log in");
  await signIn(person, story.person);
  await sees(heading("home"));
  await link("logOut").click();
  await sees(heading("logOutTitle"));
  await button("logOut").click();
  await sees(heading("loginTitle"));

  step("too many wrong passwords");
  allow(/status of 429 .*\/hub\/api\/login$/, "too many of them");
  const throttled = page.getByRole("alert").filter({ hasText: say.throttled });
  for (let tries = 0; tries < 6; tries++) {
    await fillSignIn(person, "refused", "not the password");
    await sees(page.getByRole("alert").filter({ hasText: tries < 5 ? say.wrongPassword : say.throttled }));
    await sees(button("logIn"));
  }
  await focused(password);
  await inspectAll(person, "login-throttled");
  await sees(throttled);

  step("log in without scripts, wrong and right");
  for (const language of ["en", "fr"]) {
    const plain = await enter({ language, scripts: false });
    const { heading, say } = look(plain);
    const said = () => plain.page.getByRole("paragraph").last().textContent(); // getByText does not look into <noscript>.
    plain.allow(/status of 401 .*\/hub\/login/, "a wrong password");
    await plain.page.goto("hub/login");
    await sees(heading("loginTitle"));
    same(await said(), say.noScript, "the last paragraph");
    await inspectAll(plain, "login-no-script", [language]);
    await fillSignIn(plain, story.person, "not the password");
    await sees(plain.page.getByRole("alert").filter({ hasText: say.wrongPlain }));
    same(await plain.page.getByLabel(say.username).inputValue(), story.person, "the name that was typed");
    await inspectAll(plain, "login-no-script-wrong", [language]);
    await fillSignIn(plain, story.person);
    await plain.page.waitForURL("**/hub/home");
    same(await plain.page.getByRole("paragraph").first().textContent(), say.noScript, "the first paragraph");
  }
});
