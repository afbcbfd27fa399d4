//! What the documents say is there.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use shared::reason::{Reason, Words};
use slipway_tests::repository;

fn sources(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn each_test_and_file_that_the_page_on_security_names_is_there() {
    let mut code = String::new();
    for folder in [
        "shared/src",
        "backend/src",
        "tests/api",
        "tests/e2e",
        "tests/proxy",
        "tests/slurm",
    ] {
        sources(&repository().join(folder), &mut code);
    }
    let text = fs::read_to_string(repository().join("docs/security.md")).unwrap();
    let mut named = 0;
    for name in text.split('`').skip(1).step_by(2) {
        // The names of tests are sentences; some are cut short.
        let start = name.trim_end_matches('…');
        if start.matches('_').count() > 3 && start.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            named += 1;
            let cut = start.len() < name.len();
            let function = format!("fn {start}{}", if cut { "" } else { "(" });
            assert!(
                code.contains(&function),
                "docs/security.md names {name}, which is no test"
            );
        } else if name.starts_with("tests/") {
            named += 1;
            assert!(
                repository().join(name).exists(),
                "docs/security.md names {name}, which is no file"
            );
        }
    }
    assert!(named > 40, "{named} names were found: has the page another form now?");
}

/// What the page says when a server is over, by its words' names, and what it advises.
const ENDS: &[(&[&str], &str)] = &[
    (&["gave_up", "cancelled", "refused"], ""),
    (&["unreachable", "lost"], "no_job"),
    (
        &[
            "jupyter_missing",
            "setup_failed",
            "module_missing",
            "port_not_told",
            "socket_path_too_long",
        ],
        "not_you",
    ),
    (&["home_missing"], "home"),
    (&["home_full"], "home_full"),
    (&["no_port", "no_folder"], "no_port"),
    (&["jupyter_failed"], "jupyter_failed"),
    (&["time_limit"], "time_limit"),
    (&["out_of_memory"], "out_of_memory"),
    (&["node_failed", "preempted"], "again"),
    (&["stopped", "cancelled_by", "finished"], "saved"),
    (&["other"], "other"),
];

/// Slurm's words for a wait that people meet.
const WAITS: &[&str] = &[
    "Priority",
    "Resources",
    "QOSMaxCpuPerUserLimit",
    "QOSMaxJobsPerUserLimit",
    "AssocGrpCpuLimit",
    "AssocGrpCPUMinutesLimit",
    "AssocMaxJobsLimit",
    "ReqNodeNotAvail, Reserved for maintenance",
    "ReqNodeNotAvail",
    "Reservation",
    "ReservationDeleted",
    "BeginTime",
    "PartitionTimeLimit",
    "PartitionDown",
    "PartitionConfig",
    "AccountNotAllowed",
    "InvalidAccount",
    "InvalidQOS",
    "BadConstraints",
    "Dependency",
    "JobHeldUser",
    "JobHeldAdmin",
    "Licenses",
    "NodeDown",
];

/// The tables of a page for people in this language, by the names of their marks.
fn tables(language: &str) -> [(&'static str, String); 2] {
    let file = repository().join(format!("frontend/src/text/{language}.json"));
    let page: HashMap<String, String> = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let reasons = if language == "fr" {
        Words::FRENCH
    } else {
        Words::ENGLISH
    };
    let reasons: Words = serde_json::from_str(reasons).unwrap();
    let (says, means, advice) = match language {
        "fr" => ("La page dit", "Ce que cela veut dire", "Que faire"),
        _ => ("The page says", "What it means", "What to do"),
    };
    let blank = |text: &str| text.replace("{0}", "…");
    let mut ends = format!("| {says} | {advice} |\n|---|---|\n");
    for (names, what_to_do) in ENDS {
        let texts: Vec<_> = names.iter().map(|name| blank(&page[&format!("end_{name}")])).collect();
        let what_to_do = page.get(&format!("advice_{what_to_do}")).map_or("", String::as_str);
        let _ = writeln!(ends, "| {} | {what_to_do} |", texts.join("<br>"));
    }
    let mut waits = format!("| Slurm | {means} | {advice} |\n|---|---|---|\n");
    for word in WAITS {
        let said = reasons.waits(&Reason::from_slurm(word));
        let _ = writeln!(waits, "| `{word}` | {} | {} |", said.what, said.what_to_do);
    }
    [("ends", ends), ("messages", waits)]
}

#[test]
fn what_people_can_read_about_each_message_is_what_the_page_says() {
    for language in ["en", "fr"] {
        let file = repository().join(format!("docs/people.{language}.md"));
        let text = fs::read_to_string(&file).unwrap();
        let mut right = text.clone();
        for (name, table) in tables(language) {
            let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
            let (start, end) = (right.find(&open).unwrap() + open.len(), right.find(&close).unwrap());
            right.replace_range(start..end, &table);
        }
        if std::env::var_os("SLIPWAY_WRITE_DOCS").is_some() {
            fs::write(&file, &right).unwrap();
        } else {
            assert!(text == right, "{} is old: `make docs`", file.display());
        }
    }
}

#[test]
fn every_sentence_about_an_end_is_in_what_people_can_read() {
    let file = repository().join("frontend/src/text/en.json");
    let page: HashMap<String, String> = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let listed: Vec<_> = ENDS.iter().flat_map(|(names, _)| names.iter()).collect();
    for name in page.keys().filter_map(|key| key.strip_prefix("end_")) {
        assert!(listed.contains(&&name), "{name}");
    }
}

/// What the pictures for people show, as far as it makes a difference: the page's styles, and what is on those pages.
/// The same text for the same look (FNV-1a).
fn look() -> String {
    let styles = ["tokens", "base", "form", "frame", "page"].map(|name| format!("style/{name}.css"));
    let pages = ["options", "starting", "given-up", "home-running"].map(|name| format!("tests/e2e/trees/{name}.yml"));
    let files = styles
        .iter()
        .chain(&pages)
        .map(|file| fs::read(repository().join(file)).unwrap());
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}\n", files.flatten().fold(0xcbf2_9ce4_8422_2325, mix))
}

#[test]
fn the_pictures_that_people_are_shown_are_of_the_page_as_it_looks_now() {
    let file = repository().join("docs/pictures/look");
    if std::env::var_os("SLIPWAY_WRITE_DOCS").is_some() {
        fs::write(&file, look()).unwrap();
    } else {
        let taken = fs::read_to_string(&file).unwrap();
        assert_eq!(taken, look(), "the pictures are old: `make test`, then `make docs`");
    }
}

#[test]
fn the_pictures_that_people_are_shown_are_there() {
    for language in ["en", "fr"] {
        let text = fs::read_to_string(repository().join(format!("docs/people.{language}.md"))).unwrap();
        let pictures: Vec<_> = text
            .split("](pictures/")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
            .collect();
        assert_eq!(pictures.len(), 4);
        for picture in pictures {
            assert!(repository().join("docs/pictures").join(picture).exists(), "{picture}");
        }
    }
}
