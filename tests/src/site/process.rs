//! Slipway's processes of a site: starting, ending and reading them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::{Site, free_port, write_configuration};
use crate::{program, until};

/// One of Slipway's processes.
pub(super) struct Run<'a> {
    pub(super) command: &'static str,
    pub(super) config: &'a str,
    pub(super) log: &'a str,
    /// The word that it says when it can be used.
    pub(super) ready: &'static str,
    pub(super) uid: Option<u32>,
}

impl Site {
    /// Starts Slipway and waits until it serves.
    ///
    /// # Panics
    /// When it ends instead, with what it said.
    pub async fn start_slipway(&mut self) {
        self.slipway = Some(self.run_slipway("slipway").await);
    }

    /// Starts one more Slipway that shares everything with the first but its port, as replicas do. Answers its
    /// address.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_beside(&mut self) -> String {
        let port = free_port();
        let (first, first_port) = (self.url.clone(), self.url.rsplit(':').next().expect("a port"));
        let first_port = first_port.split('/').next().expect("a port");
        let url = first.replace(first_port, &port.to_string());
        let config = std::fs::read_to_string(self.path("slipway.toml")).expect("the configuration");
        let name = format!("beside-{port}");
        write_configuration(
            &self.path(&format!("{name}.toml")),
            &config.replace(&format!("127.0.0.1:{first_port}"), &format!("127.0.0.1:{port}")),
        );
        let child = self.run_slipway(&name).await;
        self.beside.push(child);
        url
    }

    /// Runs `slipway serve` with the configuration of this name, and its log under this name.
    async fn run_slipway(&self, name: &str) -> Child {
        let run = Run {
            command: "serve",
            config: name,
            log: name,
            ready: "serving",
            uid: self.users.map(|users| users.serves),
        };
        self.run(run).await
    }

    pub(super) async fn run(&self, run: Run<'_>) -> Child {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path(&format!("{}.log", run.log)))
            .expect("a log");
        let mut command = match (run.uid, &self.machine) {
            (None, Some(machine)) => machine.slipway(self.folder.path()),
            (Some(uid), _) => {
                let mut command = Command::new(self.path("slipway"));
                command.uid(uid).gid(uid);
                command
            }
            (None, None) => Command::new(program("slipway")),
        };
        let mut stdin = Stdio::null();
        if let Some(socket) = self.socket.as_ref().filter(|_| run.command == "serve") {
            // The descriptor and the process have to have the numbers that systemd gives them.
            let hand_over = "exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\"";
            command = Command::new("sh");
            command.args(["-c", hand_over]).arg(program("slipway"));
            stdin = OwnedFd::from(socket.try_clone().expect("the socket")).into();
        }
        let mut child = command
            .args([run.command, "--config"])
            .arg(self.path(&format!("{}.toml", run.config)))
            .env(
                "SLIPWAY_LOG",
                std::env::var("SLIPWAY_LOG").unwrap_or_else(|_| self.log.into()),
            )
            .stdin(stdin)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("slipway starts");
        let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
        let mut log = std::io::LineWriter::new(log);
        let mut said = String::new();
        while let Ok(Some(line)) = lines.next_line().await {
            let is_ready = line.contains(run.ready);
            let _ = writeln!(log, "{line}");
            let _ = writeln!(said, "{line}");
            if is_ready {
                tokio::spawn(async move {
                    while let Ok(Some(line)) = lines.next_line().await {
                        let _ = writeln!(log, "{line}");
                    }
                });
                return child;
            }
        }
        panic!("slipway {} did not start:\n{said}", run.command);
    }

    /// Ends Slipway without a warning, as a crash would; jobs go on.
    pub async fn kill_slipway(&mut self) {
        self.successor.lock().expect("nobody panics with it").take();
        if let Some(mut slipway) = self.slipway.take() {
            slipway.kill().await.expect("it is ours to end");
        }
    }

    /// Ends Slipway as its administrator does, and waits until it has ended.
    ///
    /// # Panics
    /// When it does not end well.
    pub async fn end_slipway(&mut self) {
        if let Some(mut slipway) = self.slipway.take() {
            send(&slipway, "TERM").await;
            assert!(slipway.wait().await.expect("it is ours").success());
        }
    }

    /// Asks Slipway to let a new one take over, as `systemctl reload` does.
    ///
    /// # Panics
    /// When there is none.
    pub async fn ask_to_hand_over(&self) {
        send(self.slipway.as_ref().expect("Slipway runs"), "USR2").await;
    }

    /// Has a new Slipway take over, and waits until it has.
    ///
    /// # Panics
    /// When there is none, or none takes over.
    pub async fn hand_over(&self) {
        self.ask_to_hand_over().await;
        let pid = until("another Slipway", || async {
            let log = self.log();
            let line = log.lines().rfind(|line| line.contains("another Slipway takes over"))?;
            line.split("pid=").nth(1)?.split_whitespace().next()?.parse().ok()
        });
        let successor = Successor(pid.await);
        *self.successor.lock().expect("nobody panics with it") = Some(successor);
    }

    /// [`Self::hand_over`]. Answers the old one.
    ///
    /// # Panics
    /// When there is none, or none takes over.
    pub async fn take_over(&mut self) -> Child {
        self.hand_over().await;
        self.slipway.take().expect("Slipway runs")
    }

    /// The process id of Slipway.
    pub fn slipway_pid(&self) -> Option<u32> {
        self.slipway.as_ref().and_then(Child::id)
    }

    /// Everything Slipway has said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("slipway.log")).unwrap_or_default()
    }
}

async fn send(process: &Child, signal: &str) {
    let pid = process.id().expect("it runs").to_string();
    let sent = Command::new("kill").args([&format!("-{signal}"), &pid]).status().await;
    assert!(sent.expect("kill").success());
}

/// A Slipway that another one started. It is nobody's child here, and ends with the site.
pub(super) struct Successor(i32);

impl Drop for Successor {
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.0) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}
