// Jupyter's own pages, as a person uses them.
import { gone, same, sees, until } from "./browser.mjs";

/** Lab logs this as an error. */
export function allowLab({ allow }) {
  allow(/^Could not restore the debugger state: Canceled future/, "a restart of the kernel, with nothing to debug");
}

/** Notebook 7 throws these without Slipway too. */
export function allowNotebook({ allow }) {
  allow(/^$/, "a promise rejected with nothing");
  allow(/^(TypeError: Cannot read properties of undefined|Error: Disposed)[^]*\/static\/notebook\//, "settings, sessions");
}

/** A page with a notebook, from before its kernel starts. */
export class Notebook {
  #idle = false;

  constructor(page) {
    this.page = page;
    this.cells = page.getByRole("feed", { name: "Cells" });
    page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => {
      this.#idle ||= socket.url().includes("/api/kernels/") && /"execution_state": ?"idle"/.test(payload.toString("latin1"));
    }));
  }

  /** Types code into the last cell, runs it and waits for its output, which may come before it is over. */
  async run(code, output) {
    // What is run before the kernel is there, Lab drops.
    await until("an idle kernel", () => this.#idle);
    await this.cells.getByRole("textbox").last().click();
    await this.page.keyboard.insertText(code);
    await this.page.keyboard.press("Shift+Enter");
    await sees(this.cells.getByText(output, { exact: true }));
  }

  /** From now on a cell waits until the kernel has been heard of anew. */
  expectReconnection() {
    this.#idle = false;
  }

  /** Restarts the kernel from the menu. */
  async restart() {
    await this.page.getByRole("menuitem", { name: "Kernel", exact: true }).click();
    await this.page.getByRole("menuitem", { name: /^Restart Kernel…/ }).click();
    const restarted = this.page.waitForResponse(/\/api\/kernels\/[^/]+\/restart/);
    await this.page.getByRole("button", { name: "Confirm Kernel Restart" }).click();
    same((await restarted).status(), 200, "the answer to the restart");
    this.#idle = false;
  }

  /** Saves it, for the first time, under the name that it has. */
  async save() {
    // Lab puts its workspace too, whenever its layout has changed.
    const saved = this.page.waitForResponse((response) => response.request().method() === "PUT" && response.url().includes("/api/contents/"));
    await this.page.keyboard.press("Control+s");
    const dialog = this.page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Rename" }).click();
    same((await saved).status(), 200, "the answer to saving");
    await gone(dialog);
  }
}

/** Waits until Lab is there, and opens a new notebook from its launcher. */
export async function openNotebook(page) {
  const notebook = new Notebook(page);
  await page.getByRole("tabpanel", { name: "Launcher" }).getByRole("button", { name: /^Python 3/ }).first().click();
  return notebook;
}

/** Makes a new notebook from the file list of Notebook, which opens it in a tab of its own. */
export async function newNotebook({ context, page }) {
  await page.getByRole("menuitem", { name: /^(New|Nouveau)/ }).click();
  const opened = new Promise((resolve) => context.once("page", (tab) => resolve(new Notebook(tab))));
  await page.getByRole("menuitem", { name: /^Python 3/ }).click();
  return opened;
}

/** Goes from Lab to Slipway, in a tab of its own. */
export async function openHub({ context, page }) {
  await page.getByRole("menuitem", { name: "File", exact: true }).click();
  const opened = context.waitForEvent("page");
  await page.getByRole("menuitem", { name: "Hub Control Panel" }).click();
  return opened;
}
