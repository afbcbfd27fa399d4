// The options: what is wrong with them, many accounts, none, and a request that Slurm refuses.
import { focused, inspectAll, please, same, sees, signIn, step, story, tell, until } from "./browser.mjs";
import { look } from "./server.mjs";

async function openOptions(enter, name) {
  const person = await enter();
  await person.page.goto("hub/spawn");
  await signIn(person, name);
  return person;
}

await tell(async (enter) => {
  const person = await openOptions(enter, story.person);
  const { page } = person;
  const { say, heading, button, field, text } = look(person);

  step("options as they come");
  await sees(heading("options"));
  await inspectAll(person, "options");

  step("wrong options: the summary has the focus and leads to the fields, and what was typed stays");
  await field("time").fill("soon");
  await field("cores").fill("999");
  await button("start").click();
  const summary = page.getByRole("group", { name: say.correct });
  await focused(summary);
  await sees(summary.getByRole("link", { name: say.timeWrong }), summary.getByRole("link", { name: say.coresWrong }));
  await summary.getByRole("link", { name: say.coresWrong }).click();
  await focused(field("cores"));
  same([await field("time").inputValue(), await field("cores").inputValue()], ["soon", "999"], "what was typed");
  await inspectAll(person, "options-wrong");

  step("forty compute accounts");
  const many = await openOptions(enter, "many-accounts");
  const accounts = many.page.getByRole("listbox", { name: say.account });
  await sees(accounts);
  same(await accounts.getByRole("option").count(), 40, "the number of accounts");
  await many.page.getByRole("searchbox", { name: say.accountFilter }).fill("group03");
  await sees(many.page.getByText("1 of 40 accounts"));
  await accounts.selectOption("ctb-group03");
  await inspectAll(many, "options-many-accounts");

  step("no compute account");
  const none = await enter();
  none.allow(/status of 403 .*\/hub\/api\/options/, "no association");
  await none.page.goto("hub/spawn");
  await signIn(none, "no-association");
  await sees(look(none).heading("noAccess"), look(none).text("enableAccess"));
  await inspectAll(none, "no-association");

  step("Slurm cannot be reached");
  await please("silence Slurm");
  const refused = await enter();
  const { button: press, text: says } = look(refused);
  refused.allow(/status of 503 .*\/hub\/api\/options/, "Slurm is silent");
  await refused.page.goto("hub/spawn");
  await signIn(refused, "refused");
  await sees(says("unreachable"));
  await refused.page.reload();
  await sees(says("unreachable"), says("silent"));
  await inspectAll(refused, "options-unreachable");
  await please("wake Slurm");
  // slurmctld and the accounting database are noticed one after the other.
  await until("the options", async () => {
    if (await press("tryAgain").isVisible()) await press("tryAgain").click();
    return press("start").isVisible();
  });

  step("a request that Slurm refuses");
  refused.allow(/status of 422 .*\/server$/, "refused");
  await press("start").click();
  await sees(refused.page.getByRole("alert"), says("slurmSaid"), refused.page.getByText(/^Job violates accounting/));
  await inspectAll(refused, "options-refused");
});
