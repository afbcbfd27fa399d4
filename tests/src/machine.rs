//! A machine of its own for Slipway, as far as PAM can tell: accounts, PAM services, and an unprivileged user that
//! Slipway runs as. `tests/pam/enter.sh` makes it, which takes Linux and root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::{program, repository};

/// The user that Slipway runs as there, and its group.
pub const SERVICE_USER: u32 = 61_190;
/// The group that reads `/etc/shadow` there.
pub const SHADOW: u32 = 42;

/// The rules of a service that asks nothing but the module of `tests/pam`.
pub const ACTS: &str = "auth required @acts@\naccount required @acts@\n";

/// What is different on that machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The lines of `/etc/pam.d/slipway`; `@acts@` stands for the module of `tests/pam`, with its folder.
    pub rules: &'static str,
    /// People with an account on that machine, each a line of `/etc/shadow`.
    pub accounts: Vec<String>,
    /// Whether the service user reads `/etc/shadow`.
    pub reads_shadow: bool,
    /// Whether Slipway runs under what its systemd unit forbids it.
    pub in_sandbox: bool,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            rules: ACTS,
            accounts: Vec::new(),
            reads_shadow: false,
            in_sandbox: false,
        }
    }
}

impl Machine {
    /// Slipway's unit for systemd.
    pub fn unit() -> PathBuf {
        repository().join("backend/systemd/slipway.service")
    }

    /// Where Slipway finds the page there.
    pub(crate) fn page(folder: &Path) -> PathBuf {
        folder.join("page")
    }

    /// Writes its files below a site's folder, and gives the service user what is the service's.
    pub(crate) fn set_up(&self, folder: &Path) {
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file of the machine");
        for name in ["etc", "etc/pam.d", "acts", "page", "mnt"] {
            fs::create_dir_all(folder.join(name)).expect("a folder of the machine");
        }
        write("slipway", "");
        let tools = std::env::var("SLIPWAY_TOOLS").expect("SLIPWAY_TOOLS is set by tests/setup/env.sh");
        let module = folder.join("acts.so");
        fs::copy(Path::new(&tools).join("pam/acts.so"), &module)
            .expect("the PAM module of the tests, which `make setup` compiles");
        let acts = format!("{} {}", module.display(), folder.join("acts").display());
        write("etc/pam.d/slipway", &self.rules.replace("@acts@", &acts));
        // Where a rule is missing.
        let deny = ["auth", "account", "password", "session"].map(|phase| format!("{phase} required pam_deny.so\n"));
        write("etc/pam.d/other", &deny.concat());

        let mut passwd = format!(
            "root:x:0:0::/:/bin/false\nslipway:x:{SERVICE_USER}:{SERVICE_USER}::/:/bin/false\n\
             nobody:x:65534:65534::/:/bin/false\n"
        );
        for (uid, line) in (2001..).zip(&self.accounts) {
            let name = line.split(':').next().unwrap_or_default();
            passwd = format!("{passwd}{name}:x:{uid}:{uid}::/:/bin/sh\n");
        }
        write("etc/passwd", &passwd);
        write(
            "etc/group",
            &format!("root:x:0:\nshadow:x:{SHADOW}:\nslipway:x:{SERVICE_USER}:\nnogroup:x:65534:\n"),
        );
        write("etc/shadow", &format!("{}\n", self.accounts.join("\n")));
        let shadow = folder.join("etc/shadow");
        fs::set_permissions(&shadow, fs::Permissions::from_mode(0o640)).expect("its mode");
        chown(&shadow, Some(0), Some(SHADOW)).expect("root");

        let own = |path: &Path| chown(path, Some(SERVICE_USER), Some(SERVICE_USER)).expect("root");
        own(folder);
        own(&folder.join("acts"));
        for file in fs::read_dir(folder).expect("the folder").flatten() {
            if file.file_type().is_ok_and(|kind| kind.is_file()) {
                own(&file.path());
            }
        }
    }

    /// Slipway on that machine.
    pub(crate) fn slipway(&self, folder: &Path) -> Command {
        let mut command = Command::new("bash");
        command
            .arg(repository().join("tests/pam/enter.sh"))
            .arg(folder)
            .args([program("slipway"), repository().join("dist")])
            .arg(if self.reads_shadow { "shadow" } else { "" });
        if self.in_sandbox {
            command.env("SLIPWAY_UNIT", Self::unit());
        }
        command
    }
}
