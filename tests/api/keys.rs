//! Keys that are none, or not secret: each stops the start, with the file and what would be right.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use slipway_tests::repository;

use super::command_line::{said, slipway};

const EC: &str = include_str!("keys/ec.pem");
const EC_PKCS8: &str = include_str!("keys/ec-pkcs8.pem");
const ED25519: &str = include_str!("keys/ed25519.pem");
const ENCRYPTED: &str = include_str!("keys/encrypted.pem");
const PUBLIC: &str = include_str!("keys/public.pem");
const RSA_1024: &str = include_str!("keys/rsa-1024.pem");
const RSA_2048: &str = include_str!("keys/rsa-2048.pem");
/// As good as random.
const SECRET: &str = "Zm9ydHktZWlnaHQtcmFuZG9tLWJ5dGVzLWFuZC1tb3Jl-3f9a";

/// A folder with a configuration whose keys are beside it, and nothing else that a start needs.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let text = fs::read_to_string(repository().join("slipway.example.toml")).unwrap();
        let text = text
            .replace("/var/lib/slipway/", "")
            .replace("127.0.0.1:8000", "127.0.0.1:0")
            .replace("\"slurm.pem\"", "\"slurm.key\"");
        fs::write(folder.path("slipway.toml"), &text).unwrap();
        let in_signer = text
            .replace("\nkey_file = \"slurm.key\"", "\nsigner = \"unix:///SOCKET\"")
            .replace("unix:///SOCKET", &format!("unix://{}", folder.path("socket").display()))
            .replace("\nkey_id = ", "\n# key_id = ");
        let signer = "[signer]\nkey_file = \"slurm.key\"\nkey_id = \"the-kid-from-jwks.json\"";
        fs::write(folder.path("signer.toml"), format!("{in_signer}\n{signer}\n")).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn key(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        mode(&path, 0o600);
        path
    }

    fn without_key_id(&self) {
        for name in ["slipway.toml", "signer.toml"] {
            let text = fs::read_to_string(self.path(name)).unwrap();
            fs::write(self.path(name), text.replace("\nkey_id = ", "\n# key_id = ")).unwrap();
        }
    }

    /// What a start says, which has to fail.
    fn refused(&self, command: &str) -> String {
        let name = if command == "sign" {
            "signer.toml"
        } else {
            "slipway.toml"
        };
        let output = slipway(&[command, "--config", &self.path(name).display().to_string()], "");
        assert_eq!(output.status.code(), Some(1), "{command}: {}", said(&output));
        said(&output)
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_key_that_cannot_sign_for_slurm_stops_the_start_with_the_reason() {
    let folder = Folder::new();
    for (text, words) in [
        (RSA_1024, "less than 2048 bits"),
        (EC, "no RSA key"),
        (EC_PKCS8, "no RSA key"),
        (ED25519, "no RSA key"),
        (ENCRYPTED, "openssl pkey"),
        (PUBLIC, "the public half"),
        (&RSA_2048.replace("MII", "AAA"), "cannot be read"),
        (
            "{\"keys\": [{\"kty\": \"RSA\", \"kid\": \"abcdefgh\"}]}",
            "jwks.json is for Slurm",
        ),
        (SECRET, "leave key_id out"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA",
            "for ssh",
        ),
        (
            "-----BEGIN DSA PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA",
            "not an RSA private key",
        ),
        ("secret", "too weak"),
        (&"x".repeat(64), "too weak"),
        ("", "too weak"),
    ] {
        folder.key("slurm.key", text);
        for command in ["serve", "sign"] {
            let said = folder.refused(command);
            assert!(
                said.contains("slurm.key: ") && said.contains(words),
                "{words:?}: {said}"
            );
            let secret = text.lines().filter(|line| line.len() > 30 && !line.starts_with("---"));
            assert!(secret.into_iter().all(|line| !said.contains(line)), "{said}");
        }
    }
    folder.key("slurm.key", RSA_2048);
    folder.without_key_id();
    for command in ["serve", "sign"] {
        let said = folder.refused(command);
        assert!(said.contains("key_id is missing"), "{said}");
    }
}

#[test]
fn a_key_that_others_can_read_or_replace_stops_the_start_and_one_behind_a_link_is_looked_at_there() {
    let folder = Folder::new();
    let key = folder.key("slurm.key", RSA_2048);
    let refused = |words: &[&str]| {
        for command in ["serve", "sign"] {
            let said = folder.refused(command);
            assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
        }
    };
    for readable in [0o644, 0o640, 0o602] {
        mode(&key, readable);
        refused(&["slurm.key", &format!("mode {readable:04o}"), "chmod 600"]);
    }
    mode(&key, 0o600);
    mode(folder.0.path(), 0o777);
    refused(&["everybody can write into", "chmod o-w"]);
    mode(folder.0.path(), 0o755);

    fs::rename(&key, folder.path("elsewhere")).unwrap();
    refused(&["slurm.key", "No such file"]);
    std::os::unix::fs::symlink("elsewhere", &key).unwrap();
    mode(&folder.path("elsewhere"), 0o644);
    refused(&["slurm.key", "mode 0644"]);
    // With a key that is good, it is something else that is missing here.
    mode(&folder.path("elsewhere"), 0o600);
    let said = folder.refused("serve");
    assert!(
        said.contains("/usr/share/slipway/page") && !said.contains("slurm.key"),
        "{said}"
    );
}

#[test]
fn a_secret_that_serves_twice_or_is_weak_or_readable_stops_the_start_whatever_it_is_for() {
    let folder = Folder::new();
    folder.without_key_id();
    folder.key("slurm.key", SECRET);
    let config = folder.path("slipway.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("# previous_key_files", "previous_key_files")).unwrap();
    let good = |last: char| format!("{SECRET}{last}");
    let others = [
        ("sign-in.key", 'a'),
        ("sign-in-2025.key", 'b'),
        ("job.key", 'c'),
        ("job-2025.key", 'd'),
    ];
    for (name, last) in others {
        folder.key(name, &good(last));
    }
    let said = folder.refused("serve");
    assert!(said.contains("/usr/share/slipway/page"), "{said}");
    for (name, last) in others {
        folder.key(name, SECRET);
        let said = folder.refused("serve");
        let both = said.contains(name) && said.contains("slurm.key");
        assert!(both && said.contains("hold the same key"), "{said}");
        folder.key(name, "short");
        let said = folder.refused("serve");
        assert!(said.contains(name) && said.contains("too weak"), "{said}");
        mode(&folder.key(name, &good(last)), 0o604);
        let said = folder.refused("serve");
        assert!(said.contains(name) && said.contains("chmod 600"), "{said}");
        folder.key(name, &good(last));
    }
}
