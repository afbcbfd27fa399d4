// An extension of JupyterLab and Notebook, there for this job alone and in none of the person's folders: it says when
// the job's time is nearly over. Before it the batch script writes `const ends = …, language = …`: seconds since 1970,
// and the language of the page from which it was started, or nothing.
var _JUPYTERLAB = globalThis._JUPYTERLAB ?? {};
globalThis._JUPYTERLAB = _JUPYTERLAB;

{
  const MINUTES = [15, 5];
  const french = /^fr/.test(language || navigator.language);
  const say = (minutes) =>
    french
      ? `Votre serveur s’arrêtera dans ${minutes} min. Les variables seront perdues; les fichiers restent tels qu’au dernier enregistrement.`
      : `Your server ends in ${minutes} min. Variables will be gone; files stay as last saved.`;
  let scope = {};

  // What Lab shares with its extensions, whatever its version.
  const shared = async (name) => {
    const [version] = Object.values(scope[name] ?? {});
    return version ? (await version.get())() : {};
  };

  // How far the server's clock is ahead of this one, in milliseconds.
  const ahead = async () => {
    const { baseUrl } = JSON.parse(document.getElementById("jupyter-config-data").textContent);
    const answer = await fetch(`${baseUrl}api`);
    return Date.parse(answer.headers.get("date")) - Date.now() || 0;
  };

  const activate = async (app) => {
    await app.restored; // Before that, Lab shows nobody what it is told.
    const { Notification } = await shared("@jupyterlab/apputils");
    const clock = await ahead().catch(() => 0);
    const left = () => (ends * 1000 - Date.now() - clock) / 60_000;
    let told = Infinity;
    const look = () => {
      const due = MINUTES.filter((minutes) => left() <= minutes && minutes < told).at(-1);
      if (due === undefined || left() <= 0) return;
      told = due;
      Notification?.warning(say(Math.max(1, Math.round(left()))), { autoClose: false });
    };
    look();
    setInterval(look, 10_000);
  };

  _JUPYTERLAB.slipway = {
    init: (theirs) => void (scope = theirs),
    get: async () => () => ({ __esModule: true, default: { id: "slipway:time", autoStart: true, activate: (app) => void activate(app) } }),
  };
}
