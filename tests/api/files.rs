//! Files: who may read and change them, and whose they are.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use serde_json::json;
use slipway_tests::site::Users;
use slipway_tests::{Plan, Site, program};

use super::command_line::{said, slipway};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn files_that_others_can_read_or_change_are_refused_with_the_command_that_mends_it() {
    let site = Site::start(Plan::default()).await;
    let config = site.path("slipway.toml").display().to_string();
    for (name, mode, right) in [
        ("slipway.toml", 0o666, 0o644),
        ("slipway.toml", 0o664, 0o644),
        ("users.toml", 0o644, 0o600),
        ("users.toml", 0o606, 0o600),
        ("slipway.db", 0o602, 0o600),
    ] {
        let path = site.path(name);
        set_mode(&path, mode);
        let command = format!("chmod {right:04o} {}", path.display());
        for arguments in [vec!["check", &config], vec!["serve", "--config", &config]] {
            let output = slipway(&arguments, "");
            assert!(
                !output.status.success() && said(&output).contains(&command),
                "{name} {mode:04o} {arguments:?}: {}",
                said(&output)
            );
        }
        set_mode(&path, right);
        let output = slipway(&["check", &config], "");
        assert!(output.status.success(), "{name} {right:04o}: {}", said(&output));
    }
    for name in ["sign-in.key", "job.key", "slurm.key"] {
        set_mode(&site.path(name), 0o644);
        let output = slipway(&["check", &config], "");
        assert!(
            !output.status.success() && said(&output).contains("chmod 0600 "),
            "{name}: {}",
            said(&output)
        );
        set_mode(&site.path(name), 0o600);
    }
    let folder = site.path(".");
    set_mode(&folder, 0o777);
    let output = slipway(&["check", &config], "");
    assert!(
        !output.status.success() && said(&output).contains("chmod o-w "),
        "{}",
        said(&output)
    );
    set_mode(&folder, 0o700);
    site.shut_down().await;
}

#[test]
fn a_users_file_keeps_its_owner_its_group_and_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.toml");
    let add = |name: &str| {
        let output = slipway(
            &["user", "add", &file.display().to_string(), name],
            "correct horse battery\n",
        );
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    let note = add("ada");
    let is_root = fs::metadata(&file).unwrap().uid() == 0;
    assert_eq!(note.contains("chown USER "), is_root, "{note}");
    if is_root {
        std::os::unix::fs::chown(&file, Some(61_001), Some(61_003)).unwrap();
    }
    set_mode(&file, 0o640);
    let before = fs::metadata(&file).unwrap();
    let note = add("bob");
    let after = fs::metadata(&file).unwrap();
    assert_eq!(
        (after.uid(), after.gid(), after.mode() & 0o777),
        (before.uid(), before.gid(), 0o640)
    );
    assert!(!note.contains("belongs to root"), "{note}");
}

#[test]
fn a_users_file_that_cannot_be_parsed_is_named_by_line_and_key_without_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.toml");
    fs::write(&file, "[users.ada]\npassword = \"20261130\n").unwrap();
    let output = slipway(
        &["user", "add", &file.display().to_string(), "bob"],
        "correct horse battery\n",
    );
    let said = said(&output);
    assert!(
        !output.status.success() && said.contains("line 2") && said.contains("key password"),
        "{said}"
    );
    assert!(!said.contains("20261130"), "{said}");
}

/// The files of a site's Slipway, each with its owner.
fn files(site: &Site) -> Vec<(String, u32)> {
    let files = fs::read_dir(site.path(".")).unwrap().flatten();
    let files = files.filter_map(|file| {
        let name = file.file_name().into_string().ok()?;
        let is_state = name.starts_with("slipway.db") || ["sign-in.key", "job.key"].contains(&name.as_str());
        is_state.then_some((name, file.metadata().ok()?.uid()))
    });
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}

/// As root, who runs these tests.
fn explain(site: &Site) -> (bool, String) {
    let output = Command::new(program("slipway"))
        .args(["explain", "ada", "--config"])
        .arg(site.path("slipway.toml"))
        .output()
        .unwrap();
    (output.status.success(), said(&output))
}

#[tokio::test]
async fn what_root_runs_beside_the_service_leaves_no_file_that_the_service_cannot_read() {
    let mut site = Site::start(Plan {
        signer: true,
        ..Plan::default()
    })
    .await;
    let users = Users::new();
    if !users.differ() {
        return site.shut_down().await; // Nobody here is root.
    }
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let is_theirs = |site: &Site| {
        let files = files(site);
        assert!(files.iter().all(|(_, owner)| *owner == users.serves), "{files:?}");
        files.len()
    };
    // Beside it, and after it has ended and nothing but the file itself is there.
    let (good, text) = explain(&site);
    assert!(
        good && text.contains("working as uid 61001") && text.contains("User:"),
        "{text}"
    );
    is_theirs(&site);
    site.end_slipway().await;
    let (good, text) = explain(&site);
    assert!(good, "{text}");
    let config = site.path("slipway.toml").display().to_string();
    let checked = slipway(&["check", &config], "");
    assert!(checked.status.success(), "{}", said(&checked));
    assert!(is_theirs(&site) >= 3);
    site.start_slipway().await;
    assert_eq!(ada.get("user/ada/lab").await.status, 200);

    // Before the first start nothing is made in its place.
    site.end_slipway().await;
    for (name, _) in files(&site) {
        fs::remove_file(site.path(&name)).unwrap();
    }
    let (good, text) = explain(&site);
    assert!(!good && text.contains("has not been started yet"), "{text}");
    assert!(slipway(&["check", &config], "").status.success());
    assert_eq!(files(&site), []);
    site.start_slipway().await;

    // What an older release left behind is named, with the command.
    site.end_slipway().await;
    std::os::unix::fs::chown(site.path("slipway.db"), Some(0), Some(0)).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=61001", "--regid=61001", "--clear-groups"])
        .arg(site.path("slipway"))
        .args(["serve", "--config", &config])
        .output()
        .unwrap();
    let text = said(&output);
    assert!(!output.status.success() && text.contains("chown 61001 "), "{text}");
    std::os::unix::fs::chown(site.path("slipway.db"), Some(users.serves), Some(users.serves)).unwrap();
    site.start_slipway().await;
    site.shut_down().await;
}
