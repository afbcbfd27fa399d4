// A slice of a GPU for three hours, charged to an allocation; in French, with the numbers as French has them.
import { sees, signIn, speak, step, story, tell } from "./browser.mjs";
import { look, start } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { page } = person;
  await page.goto("hub/spawn");
  await signIn(person, story.person);
  await speak(page, "fr");
  const french = look({ page, language: "fr" });

  step("choose it");
  await page.getByLabel(french.say.account, { exact: true }).selectOption("rrg-ada");
  await french.field("time").fill("2:60");
  await french.button("start").click();
  await sees(page.getByRole("group", { name: french.say.correct }));
  await french.field("time").fill("3,0");
  await page.getByRole("radio", { name: /^Tranche de H100, 10 Go/ }).check({ force: true });
  await sees(page.getByText(/^JupyterLab pendant 3\sh, .*15\sGo, Tranche de H100, 10 Go, .*rrg-ada/));

  step("start, and see on the card what it holds");
  await start({ page, language: "fr" }, `**/user/${story.person}/lab`);
  await page.goto("hub/home");
  await sees(french.button("stop"), page.getByText("Tranche de H100, 10 Go"), page.getByText("15 Go"));

  step("the next start is proposed with the same");
  await french.button("stop").click();
  await french.button("stopYes").click();
  await sees(page.getByText(/^JupyterLab pendant 3\sh, .*Tranche de H100, 10 Go, .*rrg-ada/));
});
