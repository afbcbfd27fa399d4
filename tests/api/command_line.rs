//! `slipway` at the command line: what it makes, and what it says of a bad configuration.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use slipway_tests::site::write_configuration;
use slipway_tests::{program, repository};

pub(super) fn slipway(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(program("slipway"));
    let command = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub(super) fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn accounts_and_keys_are_made_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let added = slipway(&["user", "add", &path("users.toml"), "Ada"], "correct horse battery\n");
    assert!(added.status.success(), "{}", said(&added));
    let users = std::fs::read_to_string(path("users.toml")).unwrap();
    assert!(
        users.contains("[users.ada]") && users.contains("$argon2id$") && !users.contains("correct horse"),
        "{users}"
    );
    assert_eq!(mode(Path::new(&path("users.toml"))), 0o600);

    let made = slipway(&["key", "new", "slurm", &folder.path().display().to_string()], "");
    assert!(said(&made).contains("slurm.key_id = \""), "{}", said(&made));
    let next = slipway(&["key", "new", "slurm", &folder.path().display().to_string()], "");
    let jwks = std::fs::read_to_string(path("jwks.json")).unwrap();
    for made in [&made, &next] {
        let key_id = said(made).split('"').nth(1).unwrap().to_owned();
        assert!(
            jwks.contains(&format!("\"kid\": \"{key_id}\"")),
            "{key_id} is not in {jwks}"
        );
    }
    assert_eq!(mode(Path::new(&path("slurm.pem"))), 0o600);
    assert!(
        slipway(&["key", "new", "secret", &path("job.key")], "")
            .status
            .success()
    );
    assert_eq!(mode(Path::new(&path("job.key"))), 0o600);
    let again = slipway(&["key", "new", "secret", &path("job.key")], "");
    assert!(
        !again.status.success() && said(&again).contains("job.key"),
        "a key was replaced: {}",
        said(&again)
    );
}

#[test]
fn an_empty_password_one_that_could_never_sign_in_and_a_name_that_is_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.toml").display().to_string();
    let too_long = "x".repeat(1025);
    for (name, password) in [("ada", "\n"), ("a/b", "x\n"), ("", "x\n"), ("ada", &too_long)] {
        let output = slipway(&["user", "add", &file, name], password);
        assert!(!output.status.success(), "{name:?} {password:?}");
    }
    assert!(!Path::new(&file).exists());
}

#[test]
fn a_configuration_is_checked_with_file_line_key_and_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let example = std::fs::read_to_string(repository().join("slipway.example.toml")).unwrap();
    let check = |text: &str| {
        let path = folder.path().join("slipway.toml");
        write_configuration(&path, text);
        let output = slipway(&["check", &path.display().to_string()], "");
        (output.status.success(), said(&output))
    };
    assert!(check(&example).0);
    let (good, words) = check(&example.replace("service_user =", "service_usr ="));
    assert!(
        !good && words.contains("slipway.toml") && words.contains("did you mean `service_user`?"),
        "{words}"
    );
    let (good, words) = check(&example.replace("ports = [20000, 29999]", "ports = [80, 90]"));
    assert!(
        !good && words.contains("job.ports") && words.contains(", line "),
        "{words}"
    );
}
