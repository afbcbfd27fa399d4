// The options of a site that has everything: GPUs, reservations, profiles, features, a note; and a link to them.
import { focused, gone, inspectAll, same, sees, signIn, speak, step, story, tell, until } from "./browser.mjs";
import { look, start } from "./server.mjs";

await tell(async (enter) => {
  const person = await enter();
  const { page } = person;
  const { say, heading, button, link, field, text } = look(person);
  const radio = (name) => page.getByRole("radio", { name, exact: true });
  const choose = (name) => radio(name).check({ force: true });
  const noGpu = () => page.getByRole("group", { name: "GPU" }).getByLabel("None").check({ force: true });
  const values = () => Promise.all(["time", "cores", "memory"].map((name) => field(name).inputValue()));

  step("what there is to choose from, and that there is room");
  await page.goto("hub/spawn");
  await signIn(person, story.person);
  await sees(heading("options"), text("roomNow"), text("note"), text("usual"), link("readMore"));
  await inspectAll(person, "form");
  await page.reload();
  await sees(text("roomNow"));
  const asked = () => performance.getEntriesByType("resource").filter(({ name }) => name.includes("/api/")).length;
  same(await page.evaluate(asked), 0, "so often the page asked what its document has answered");

  step("a GPU proposes the cores and the memory that go with it, and no longer once they are typed");
  same(await values(), ["1", "1", "2"], "as it comes");
  await choose("H100 slice, 10 GB");
  same(await values(), ["1", "2", "15"], "with the slice");
  await noGpu();
  same(await values(), ["1", "1", "2"], "without");
  await field("cores").fill("3");
  await choose("H100 slice, 10 GB");
  same(await values(), ["1", "3", "15"], "with three cores that were typed");
  await sees(page.getByText(/H100 slice, 10 GB, charged to def-ada/));

  step("more options, and a reservation that begins later");
  await noGpu();
  await page.getByText(say.more, { exact: true }).click();
  await page.getByLabel(say.partition, { exact: true }).selectOption("cpubase_interac");
  await page.getByRole("checkbox", { name: "fast" }).check();
  await choose("tomorrow");
  await sees(text("startsLater"));
  await inspectAll(person, "form-reservation");

  step("what cannot be had together is said at its field");
  await page.getByLabel(say.partition, { exact: true }).selectOption("gpubase_interac");
  await button("start").click();
  await focused(page.getByRole("group", { name: say.correct }));
  await inspectAll(person, "form-not-together");
  await page.getByLabel(say.partition, { exact: true }).selectOption("cpubase_interac");
  await gone(page.getByRole("group", { name: say.correct }));

  step("the link to the form fills it in for somebody else, and starts nothing");
  await field("time").fill("1.5");
  await button("copyLink").click();
  const copied = await until("the link", () => page.getByRole("textbox", { name: say.link }).inputValue());
  await inspectAll(person, "form-link");
  await page.goto(copied);
  await sees(heading("options"), text("byLink"));
  same(await values(), ["1.5", "3", "2"], "what the link says");
  same(await radio("tomorrow").isChecked(), true, "the reservation of the link");
  same(await page.getByRole("checkbox", { name: "fast" }).isChecked(), true, "the feature of the link");

  step("a profile fills it in, in French as well, and what is typed stays");
  await page.goto("hub/spawn");
  const proposed = await values();
  await speak(page, "fr");
  await page.getByRole("radio", { name: /^Un GPU/ }).check({ force: true });
  await sees(page.getByText(/^Le profil .* a rempli ce formulaire/), page.getByText(/^JupyterLab pendant 1\sh, .*2\scœurs/));
  await speak(page, "en");
  await sees(page.getByText(/^The profile “A GPU” filled in this form/));
  same(await values(), ["1", "2", "4"], "what the profile says");
  await page.getByRole("radio", { name: /^A short one/ }).check({ force: true });
  same(await values(), ["0.5", ...proposed.slice(1)], "what the next one says, and nothing of the one before");
  same(await page.getByRole("group", { name: "GPU" }).getByRole("radio", { name: "None" }).isChecked(), true, "its GPU");
  await page.getByRole("group", { name: "Profile" }).getByRole("radio", { name: "None" }).check({ force: true });
  await sees(text("usual"));
  same(await values(), proposed, "what stands there without a profile");

  step("a smaller request is proposed, taken, and started; another interface needs no new job");
  const other = await enter();
  await other.page.goto("hub/spawn?features=fast&cores=6&interface=lab&time=0:05");
  await signIn(other, "bob");
  await start(other, "**/user/bob/lab");
  await until("what bob has to be taken", async () => {
    await page.goto("hub/spawn?features=fast&cores=8");
    await sees(page.locator("#room p"));
    return text("roomLess").isVisible();
  });
  await inspectAll(person, "form-no-room");
  await page.getByRole("button", { name: /^Use / }).click();
  await sees(text("roomNow"));
  await focused(page.locator("#room"));
  await page.goto("hub/spawn?gpu=nvidia_h100_80gb_hbm3_1g.10gb:1");
  await start(person, `**/user/${story.person}/lab`);
  await page.goto("hub/home");
  await sees(button("stop"), page.getByText("H100 slice, 10 GB"));
  await inspectAll(person, "form-card");
  step("less than five minutes are left, said aloud on whatever page");
  await other.page.goto("hub/spawn");
  await sees(other.page.locator(".time-warning"));
  await until("it is said", async () => /^Your server ends at/.test(await other.page.locator("p.hidden[role=status]").innerText()));

  step("another one when its time is over, and then rather not");
  const next = page.getByRole("checkbox", { name: /^Start the next one/ });
  await next.check();
  await until("it is noted", async () => {
    await page.reload();
    await sees(button("stop"));
    return next.isChecked();
  });
  await next.uncheck();
  await until("that is noted too", async () => {
    await page.reload();
    await sees(button("stop"));
    return !(await next.isChecked());
  });
  await link("notebook").click();
  await page.waitForURL(`**/user/${story.person}/tree`);
});
