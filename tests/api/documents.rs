//! What the documents say is there.

use std::fs;
use std::path::Path;

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
