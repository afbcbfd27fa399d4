// A day in Lab: large files both ways, a kernel that is interrupted, two tabs, reload, silence; and Slipway is renewed
// meanwhile without anybody noticing.
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gone, please, same, sees, signIn, step, story, tell } from "./browser.mjs";
import { Notebook, allowLab, openNotebook } from "./jupyter.mjs";
import { look, start } from "./server.mjs";

const [silence] = story.cases;
const LARGE = 200 * 2 ** 20;

await tell(async (enter) => {
  const person = await enter();
  const { context, page } = person;
  allowLab(person);
  const folder = await mkdtemp(path.join(tmpdir(), "slipway-day-"));

  step("start Lab");
  await page.goto("hub/spawn");
  await signIn(person, story.person);
  await look(person).choose("lab");
  await start(person, `**/user/${story.person}/lab**`);
  const notebook = await openNotebook(page);
  await notebook.run("answer = 6*7; print(answer)", "42");
  await notebook.save();

  step("interrupt what runs for ever");
  await notebook.run("import time\nprint('it', 'runs')\nwhile True: time.sleep(1)", "it runs");
  await page.getByRole("menuitem", { name: "Kernel", exact: true }).click();
  await page.getByRole("menuitem", { name: /^Interrupt Kernel/ }).click();
  await sees(notebook.cells.getByText("KeyboardInterrupt").first());
  await notebook.run("print(answer + 1)", "43");

  step("upload 200 MB, and download it again");
  const large = path.join(folder, "large.bin");
  await writeFile(large, Buffer.alloc(LARGE, 7));
  const chosen = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: /^Upload Files/ }).click();
  await (await chosen).setFiles(large);
  await page.getByRole("dialog").getByRole("button", { name: "Upload" }).click();
  const file = page.getByRole("listitem", { name: /^Name: large\.bin/ });
  await file.waitFor({ timeout: 90_000 });
  await notebook.run("import os\nwhile os.path.getsize('large.bin') < 200 * 2**20: time.sleep(0.1)\nprint('all', 'of it')", "all of it");
  const download = page.waitForEvent("download");
  await file.click({ button: "right" });
  await page.getByRole("menuitem", { name: "Download", exact: true }).click();
  same((await stat(await (await download).path())).size, LARGE, "the size of what came back");

  step("a second tab on the same notebook");
  const tab = await context.newPage();
  const other = new Notebook(tab);
  await tab.goto(new URL(page.url()).pathname);
  await other.run("print(answer + 2)", "44");
  await tab.close();

  step("Slipway is renewed: the open notebook goes on, and so does a page that is loaded anew");
  const opened = [];
  page.on("websocket", (socket) => opened.push(socket.url()));
  await please("renew Slipway");
  await notebook.run("print(answer + 3)", "45");
  same(opened, [], "the WebSockets that had to be opened again");
  notebook.expectReconnection();
  await page.reload();
  await notebook.run("print(answer + 4)", "46");

  step(`${silence} seconds of silence`);
  const before = opened.length;
  await page.waitForTimeout(silence * 1000);
  await notebook.run("print(answer + 5)", "47");
  same(opened.length, before, "the number of WebSockets after the silence");
  await gone(page.getByRole("dialog"));
  await rm(folder, { recursive: true });
});
