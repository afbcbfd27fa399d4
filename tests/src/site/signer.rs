//! A site whose Slurm key is in a process of its own: `slipway sign` under one user, `slipway serve` under another.
//! Where whoever runs the tests is not root, both are that user.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Command;

use tokio::process::Child;

use super::Site;
use super::process::Run;
use crate::{program, repository};

/// Who serves; the number of nobody on this machine.
const SERVES: u32 = 61_001;
/// Who signs.
const SIGNS: u32 = 61_002;

/// Who runs the two processes of such a site.
#[derive(Clone, Copy, Debug)]
pub struct Users {
    /// `slipway serve`.
    pub serves: u32,
    /// `slipway sign`.
    pub signs: u32,
}

impl Users {
    /// Two where that is possible.
    ///
    /// # Panics
    /// When nobody says who we are.
    pub fn new() -> Self {
        match fs::metadata("/proc/self").expect("our own process").uid() {
            0 => Self {
                serves: SERVES,
                signs: SIGNS,
            },
            own => Self {
                serves: own,
                signs: own,
            },
        }
    }

    /// Whether there are two.
    pub fn differ(self) -> bool {
        self.serves != self.signs
    }
}

impl Default for Users {
    fn default() -> Self {
        Self::new()
    }
}

impl Site {
    /// Moves the key from `[slurm]` to `[signer]`, and gives each file to who needs it.
    pub(super) async fn separate_signer(&mut self) {
        let users = Users::new();
        let (key, socket) = (self.path("slurm.key"), self.signer_socket());
        let text = fs::read_to_string(self.path("slipway.toml")).expect("the configuration");
        let text = text
            .replace(
                &format!("key_file = \"{}\"", key.display()),
                &format!("signer = \"unix://{}\"", socket.display()),
            )
            .replace(
                &repository().join("dist").display().to_string(),
                &self.path("dist").display().to_string(),
            );
        let text = format!(
            "{text}\n[signer]\nkey_file = \"{}\"\nallow_uid = {}\n",
            key.display(),
            users.serves
        );
        fs::write(self.path("slipway.toml"), text).expect("the configuration");
        // Where another user can read and run them, wherever the repository is.
        fs::copy(program("slipway"), self.path("slipway")).expect("a copy of the program");
        let copied = Command::new("cp")
            .arg("-r")
            .arg(repository().join("dist"))
            .arg(self.path("dist"))
            .status();
        assert!(copied.expect("cp").success());
        let run = self.path("run");
        fs::create_dir(&run).expect("a folder for the socket");
        if users.differ() {
            for name in ["", "users.toml"] {
                chown(self.path(name), Some(users.serves), Some(users.serves)).expect("root may");
            }
            chown(&key, Some(users.signs), Some(users.signs)).expect("root may");
            chown(&run, Some(users.signs), Some(users.serves)).expect("root may");
        }
        for (name, mode) in [("", 0o711), ("slipway.toml", 0o644), ("run", 0o2750)] {
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).expect("ours to change");
        }
        self.users = Some(users);
        self.start_signer().await;
    }

    /// The signer's socket.
    pub fn signer_socket(&self) -> PathBuf {
        self.path("run/signer.sock")
    }

    /// Starts the signer and waits until it signs; its log is signer.log.
    ///
    /// # Panics
    /// When it ends instead, with what it said.
    pub async fn start_signer(&mut self) {
        let run = Run {
            command: "sign",
            config: "slipway",
            log: "signer",
            ready: "signing",
            uid: self.users.map(|users| users.signs),
        };
        self.signer = Some(self.run(run).await);
    }

    /// Ends the signer without a warning.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub async fn kill_signer(&mut self) {
        if let Some(mut signer) = self.signer.take() {
            signer.kill().await.expect("it is ours to end");
        }
    }

    /// The process id of the signer.
    pub fn signer_pid(&self) -> Option<u32> {
        self.signer.as_ref().and_then(Child::id)
    }

    /// Everything the signer has said so far.
    pub fn signer_log(&self) -> String {
        fs::read_to_string(self.path("signer.log")).unwrap_or_default()
    }
}
