// Logging in where the site asks for more than a password: a code, a hidden one, a choice, an approval on a phone.
import { fillSignIn, focused, gone, inspectAll, please, same, sees, step, story, tell } from "./browser.mjs";
import { look } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { page, allow } = person;
  const { say, button, field, heading, link } = look(person);
  const alert = page.getByRole("alert");
  const answer = page.getByLabel(say.answer, { exact: true });
  const logIn = (name) => fillSignIn(person, name, "correct");
  allow(/status of 401 .*\/hub\/api\/login/, "a wrong code");

  step("a code, wrong");
  await page.goto("hub/login?next=/hub/spawn");
  await logIn(story.person);
  await sees(page.getByText("Two things more."));
  await focused(answer);
  await sees(page.getByRole("textbox", { name: say.answer, description: "Two things more. First code:" }));
  same(await answer.getAttribute("autocomplete"), "one-time-code", "what a phone may fill in");
  await inspectAll(person, "second-factor-code");
  await answer.fill("0000");
  await button("goOn").click();
  await sees(alert.filter({ hasText: say.wrongPassword }));
  same(await field("username").inputValue(), story.person, "the name that was typed");

  step("right, and on to where one wanted to be");
  await logIn(story.person);
  await focused(answer);
  await answer.fill("1234");
  await page.keyboard.press("Enter");
  await sees(page.getByText("Second code:"));
  same(await answer.getAttribute("type"), "password", "the second is hidden");
  await answer.fill("5678");
  await page.keyboard.press("Enter");
  await sees(heading("options"));
  await page.goto("hub/logout");
  await button("logOut").click();

  step("the same without scripts");
  for (const language of ["en", "fr"]) {
    const plain = await enter({ language, scripts: false });
    await plain.page.goto("hub/login?next=/hub/spawn");
    await fillSignIn(plain, story.person, "correct");
    await sees(plain.page.getByText("Two things more."));
    await inspectAll(plain, "second-factor-no-script", [language]);
    const typed = plain.page.getByLabel(look(plain).say.answer, { exact: true });
    for (const code of ["1234", "5678"]) {
      await typed.fill(code);
      await plain.page.keyboard.press("Enter");
      await gone(plain.page.getByText(code === "1234" ? "First code:" : "Second code:"));
    }
    await plain.page.waitForURL("**/hub/spawn");
  }

  step("a password that has expired");
  allow(/status of 403 .*\/hub\/api\/login/, "an expired password");
  await logIn("refused");
  await sees(alert.filter({ hasText: say.passwordExpired }));
  await inspectAll(person, "login-expired");

  step("an approval on a phone: cancelled");
  await logIn("waits");
  await focused(page.getByText("Approve on your phone."));
  await inspectAll(person, "second-factor-phone");
  await button("cancel").click();
  await gone(page.getByText("Approve on your phone."));
  await focused(page.getByLabel(say.password, { exact: true }));

  step("approved: it goes on by itself");
  await logIn("waits");
  await sees(page.getByText("Approve on your phone."));
  await please("approve");
  await sees(heading("home"), link("logOut"));
  await page.goto("hub/logout");
  await button("logOut").click();

  step("a choice, by keyboard: the question is the name of its group, and the first answer has the focus");
  await logIn("many-accounts");
  const question = page.getByRole("group", { name: "Use this computer from now on?" });
  await focused(question.getByRole("radio", { name: "yes" }));
  await inspectAll(person, "second-factor-choice");
  await question.getByRole("radio", { name: "yes" }).focus(); // Changing the language took it away.
  await page.keyboard.press("Enter");
  await sees(heading("home"), link("logOut"));
});
