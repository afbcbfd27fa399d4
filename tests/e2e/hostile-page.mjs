// What a notebook's script can try: whatever Lab's own page can, as it runs there.
/** What a notebook's script tries from its own page, with what came of it. */
export async function attack(page, hub, user) {
  return page.evaluate(async ([hub, user]) => {
    const came = {};
    const call = async (name, path, options) => {
      try {
        const answer = await fetch(hub + path, { credentials: "include", ...options });
        came[name] = answer.status;
      } catch {
        came[name] = "refused by the browser";
      }
    };
    const json = { headers: { "Content-Type": "application/json" }, body: "{}" };
    came.cookies = document.cookie.includes("slipway-hub") || document.cookie.includes("slipway-user");
    await call("who", "hub/api/user");
    await call("others", "hub/api/users/waits");
    await call("start", `hub/api/users/${user}/server`, { method: "POST", ...json });
    await call("stop", `hub/api/users/${user}/server`, { method: "DELETE" });
    await call("blindly", "hub/api/logout", { method: "POST", mode: "no-cors" });
    const frame = document.body.appendChild(Object.assign(document.createElement("iframe"), { src: hub + "hub/home" }));
    await new Promise((done) => { frame.onload = done; setTimeout(done, 2000); });
    came.frame = frame.contentDocument?.getElementById("main") ? "read" : "empty";
    document.cookie = "slipway-hub=planted; path=/hub/";
    return came;
  }, [hub, user]);
}
