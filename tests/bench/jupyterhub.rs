//! The JupyterHub that Slipway is measured beside.

use std::path::Path;
use std::process::Stdio;

use slipway_tests::site::free_port;
use slipway_tests::{Person, until};
use tokio::process::{Child, Command};

use crate::proxy::cpu_seconds;

/// What slurmformspawner asks, without its scripts.
const FORM: &str = r#"<label for="account">Account</label><select name="account" id="account"><option>def-ada</option></select>
<label for="runtime">Time (hours)</label><input type="number" name="runtime" id="runtime" value="1" min="1" max="8">
<label for="nprocs">Number of cores</label><input type="number" name="nprocs" id="nprocs" value="1" min="1" max="64">
<label for="memory">Memory (MB)</label><input type="number" name="memory" id="memory" value="4000" min="1" max="256000">
<label for="gpus">GPU configuration</label><select name="gpus" id="gpus"><option>None</option><option>1 x H100</option></select>
<label for="ui">User interface</label><select name="ui" id="ui"><option>JupyterLab</option><option>Terminal</option></select>"#;

/// One with its proxy, with SQLite, and with anybody's password.
pub(crate) struct JupyterHub {
    process: Child,
    /// Where it is, as browsers know it.
    pub(crate) url: String,
    _folder: tempfile::TempDir,
}

impl JupyterHub {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [port, hub, api] = [free_port(), free_port(), free_port()];
        let config = format!(
            "c.JupyterHub.bind_url = 'http://127.0.0.1:{port}'\nc.JupyterHub.hub_port = {hub}\n\
             c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:{api}'\nc.JupyterHub.authenticator_class = 'dummy'\n\
             c.Authenticator.allow_all = True\nc.JupyterHub.spawner_class = 'simple'\nc.JupyterHub.log_level = 'ERROR'\n\
             c.JupyterHub.redirect_to_server = False\nc.JupyterHub.concurrent_spawn_limit = 0\n\
             c.Spawner.options_form = '''{FORM}'''\n"
        );
        std::fs::write(folder.path().join("config.py"), config).unwrap();
        let tools = std::env::var("SLIPWAY_TOOLS").unwrap();
        let process = Command::new(Path::new(&tools).join("jupyterhub/bin/jupyterhub"))
            .args(["--config", "config.py"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}/");
        let person = Person::new(&url);
        until("JupyterHub", || async {
            let answer = person.http.get(person.url("hub/login")).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        Self {
            process,
            url,
            _folder: folder,
        }
    }

    /// Of the hub and its proxy.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let hub = self.process.id().unwrap();
        let children = std::fs::read_to_string(format!("/proc/{hub}/task/{hub}/children")).unwrap();
        let proxies = children.split_whitespace().map(|pid| cpu_seconds(pid.parse().unwrap()));
        cpu_seconds(hub) + proxies.sum::<f64>()
    }

    pub(crate) async fn shut_down(mut self) {
        // With SIGTERM it ends its proxy too.
        let _ = Command::new("kill")
            .arg(self.process.id().unwrap().to_string())
            .status()
            .await;
        let _ = self.process.wait().await;
    }
}
