//! Debian's sid moves on: what it has is printed, and a release that the tests do not know is refused by its name.

use std::process::{Command, Output};

use slipway_tests::repository;

fn release_of(suite: &str, version: &str) -> Output {
    let script = repository().join("tests/setup/slurm.sh");
    let arguments = ["--release", suite, version];
    Command::new("bash").arg(script).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[test]
fn a_release_that_the_tests_have_been_through_is_known() {
    for (version, release) in [("24.11.5", "24.11"), ("26.05.1", "26.05")] {
        let known = release_of("sid", version);
        assert!(known.status.success());
        assert_eq!(text(&known.stdout), release);
    }
}

#[test]
fn a_release_that_nobody_knows_stops_the_set_up_with_its_name_and_what_to_do() {
    for (version, release) in [("26.11.0", "26.11"), ("26.051.1", "26.051"), ("4.11.2", "4.11")] {
        let unknown = release_of("sid", version);
        assert!(!unknown.status.success(), "{version} was taken");
        let said = text(&unknown.stdout);
        let expected = format!("Debian sid now has Slurm {version}, and Slipway does not know {release}: ");
        assert!(
            said.starts_with(&expected) && said.contains("tests/setup/slurm.sh"),
            "{said}"
        );
    }
}
