//! Slipway's unit for systemd.

use std::path::Path;

use serde_json::json;
use slipway_tests::{Machine, Plan, SHADOW, Site, program};
use tokio::process::Command;

use super::accounts::{PASSWORD, local_accounts};

/// What `systemd-analyze` says, and whether it is content.
async fn analyze(arguments: &[&str], unit: &Path) -> (bool, String) {
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .arg(unit)
        .output()
        .await
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn systemd_understands_the_unit_and_finds_it_well_secured() {
    // It wants the program to be there.
    let folder = tempfile::tempdir().unwrap();
    let unit = std::fs::read_to_string(Machine::unit()).unwrap();
    let here = folder.path().join("slipway.service");
    let slipway = program("slipway").display().to_string();
    std::fs::write(&here, unit.replace("/usr/bin/slipway", &slipway)).unwrap();
    let socket = Machine::unit().with_extension("socket");
    std::fs::copy(&socket, here.with_extension("socket")).unwrap();
    assert_eq!(analyze(&["verify"], &here).await, (true, String::new()));
    assert_eq!(
        analyze(&["verify"], &here.with_extension("socket")).await,
        (true, String::new())
    );

    let threshold = ["security", "--offline=true", "--no-pager", "--threshold=20"];
    let (is_content, said) = analyze(&threshold, &Machine::unit()).await;
    assert!(
        is_content && said.contains("Overall exposure level for slipway.service"),
        "{said}"
    );
}

#[tokio::test]
async fn under_what_the_unit_forbids_people_sign_in_through_pam_and_reach_their_jupyter() {
    let mut site = Site::start(Plan {
        machine: Some(Machine {
            reads_shadow: true,
            in_sandbox: true,
            ..local_accounts()
        }),
        ..Plan::default()
    })
    .await;
    let mut ada = site.anonymous();
    let reply = ada.sign_in("ada", PASSWORD).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    ada.start_and_wait(&json!({})).await;
    assert_eq!(ada.get(&ada.own("lab")).await.status, 200);

    let process =
        |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", site.slipway_pid().unwrap())).unwrap();
    let status = process("status");
    for line in [
        "NoNewPrivs:\t1".to_owned(),
        "Seccomp:\t2".to_owned(),
        "Seccomp_filters:\t2".to_owned(),
        format!("CapBnd:\t{}", "0".repeat(16)),
        format!("CapPrm:\t{}", "0".repeat(16)),
        format!("Groups:\t{SHADOW} "),
        "Umask:\t0077".to_owned(),
    ] {
        assert!(status.lines().any(|found| found == line), "{line:?} is not in {status}");
    }
    let mounts = process("mountinfo");
    let is_read_only = |mount: &str| {
        let line = mounts
            .lines()
            .rfind(|line| line.split(' ').nth(4) == Some(mount))
            .unwrap();
        line.split(' ')
            .nth(5)
            .is_some_and(|options| options.split(',').any(|option| option == "ro"))
    };
    assert!(is_read_only("/") && !is_read_only("/tmp"), "{mounts}");

    // Nor does it keep a new Slipway from taking over (ExecReload).
    let mut old = site.take_over().await;
    assert!(old.wait().await.unwrap().success());
    assert_eq!(ada.get(&ada.own("lab")).await.status, 200);
    site.shut_down().await;
}
