//! The binary: a configuration, an address on its output, and no process left when it ends.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::Client;
use serde_json::json;

use crate::common::{DEADLINE, KEY, process_ids, runs, token, until};

fn start(folder: &Path) -> (Child, String) {
    std::fs::write(folder.join("key"), KEY).unwrap();
    let config = format!(
        r#"
name = "demo"
key = "{key}"
kill_wait_seconds = 0.2

[[users]]
name = "ada"
uid = 3001
accounts = [{{ name = "def-ada", default = true, max_wall_minutes = 600 }}]

[[users]]
name = "wendy"
uid = 3002
accounts = [{{ name = "def-wendy", default = true }}]
behaviour = {{ waits = {{ reason = "QOSGrpGRES" }} }}

[[users]]
name = "rose"
uid = 3003
behaviour = {{ refused = {{ error_number = 2050 }} }}
"#,
        key = folder.join("key").display()
    );
    let file = folder.join("cluster.toml");
    std::fs::write(&file, config).unwrap();
    let mut cluster = Command::new(env!("CARGO_BIN_EXE_local-slurm"))
        .args(["--until-eof", "--config"])
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(cluster.stdout.take().unwrap())
        .read_line(&mut url)
        .unwrap();
    (cluster, url.trim().to_owned())
}

#[tokio::test]
async fn jobs_end_with_the_binary_however_it_ends() {
    for end in ["SIGTERM", "SIGINT", "the end of its input", "SIGKILL"] {
        let folder = tempfile::tempdir().unwrap();
        let (mut cluster, url) = start(folder.path());
        let job = json!({
            "current_working_directory": folder.path(),
            "environment": ["A=b"],
            "script": "#!/bin/bash\nsleep 1000 &\necho $! >> pids; echo $$ >> pids\nwait\n",
        });
        let client = Client::builder().no_proxy().timeout(DEADLINE).build().unwrap();
        let submit = client
            .post(format!("{url}/slurm/v0.0.42/job/submit"))
            .bearer_auth(token("ada"));
        let answer = submit.json(&json!({"job": job})).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let processes = process_ids(&folder.path().join("pids"), 2).await;
        let signal = |name: &str| {
            let kill = Command::new("kill")
                .args(["-s", name, &cluster.id().to_string()])
                .status();
            assert!(kill.unwrap().success());
        };
        match end {
            "SIGTERM" => signal("TERM"),
            "SIGINT" => signal("INT"),
            "SIGKILL" => signal("KILL"),
            _ => drop(cluster.stdin.take()),
        }
        let status = until("the end of the binary", || cluster.try_wait().unwrap()).await;
        assert_eq!(status.success(), end != "SIGKILL", "{end}");
        until(end, || processes.iter().all(|process| !runs(*process)).then_some(())).await;
    }
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cluster.json");
    for (config, words) in [
        (json!({}), "one of `key` and `jwks` is needed"),
        (json!({"key": "/nonexistent"}), "/nonexistent"),
        (json!({"nonsense": 1}), "unknown field `nonsense`"),
    ] {
        std::fs::write(&file, config.to_string()).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_local-slurm"))
            .arg("--config")
            .arg(&file)
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(words), "{error}");
    }
}
