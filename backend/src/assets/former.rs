//! The page's files of the release before this one, kept beside the state: a page that was opened before an upgrade still
//! asks for what it has not needed yet, such as the words of the other language.

use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io, process};

/// What each release has. Its time is when that release was started last.
const DOCUMENT: &str = "index.html";
/// How long a release's name is: that of its document's content.
pub(super) const NAME: usize = 12;

/// The releases that are kept, but this one: the last one first.
fn others(kept: &Path, own: &str) -> Vec<(SystemTime, PathBuf)> {
    let mut others = Vec::new();
    for folder in fs::read_dir(kept).into_iter().flatten().flatten() {
        let name = folder.file_name();
        let started = fs::metadata(folder.path().join(DOCUMENT)).and_then(|document| document.modified());
        if let Ok(started) = started
            && name.len() == NAME
            && name != own
        {
            others.push((started, folder.path()));
        }
    }
    others.sort();
    others.reverse();
    others
}

/// Where the files of the release before this one are: what was started last, also if somebody went back to an older one.
pub(super) fn find(kept: &Path, own: &str) -> Option<PathBuf> {
    others(kept, own).into_iter().next().map(|(_, folder)| folder)
}

/// Keeps the page in `page`, which is served now, for the release after this one, and the one before. Older ones go.
pub(super) fn keep(page: &Path, kept: &Path, own: &str) -> io::Result<()> {
    let folder = kept.join(own);
    if !folder.exists() {
        // Another Slipway may be doing the same: whole or not at all.
        let partial = kept.join(format!("{own}.{}", process::id()));
        fs::create_dir_all(&partial)?;
        for file in fs::read_dir(page)? {
            let file = file?;
            if fs::metadata(file.path())?.is_file() {
                fs::write(partial.join(file.file_name()), fs::read(file.path())?)?;
            }
        }
        if fs::rename(&partial, &folder).is_err() {
            fs::remove_dir_all(&partial)?;
        }
    }
    fs::write(folder.join(DOCUMENT), fs::read(page.join(DOCUMENT))?)?;
    for (_, older) in others(kept, own).into_iter().skip(1) {
        fs::remove_dir_all(older)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_release_and_the_one_before_are_kept_and_no_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let (page, kept) = (folder.path().join("page"), folder.path().join("kept"));
        let name = |name: &str| format!("{name:.<12}");
        let start = |release: &str| {
            fs::create_dir_all(&page).unwrap();
            fs::write(page.join("own.js"), release).unwrap();
            fs::write(page.join(DOCUMENT), release).unwrap();
            let former = find(&kept, &name(release));
            keep(&page, &kept, &name(release)).unwrap();
            fs::remove_dir_all(&page).unwrap();
            former.map(|folder| fs::read_to_string(folder.join("own.js")).unwrap())
        };
        fs::create_dir_all(kept.join("somebody else's")).unwrap();
        fs::write(kept.join("a file"), "").unwrap();
        assert_eq!(start("1"), None);
        assert_eq!(start("1"), None, "started again");
        assert_eq!(start("2").as_deref(), Some("1"));
        assert_eq!(start("3").as_deref(), Some("2"));
        assert!(!kept.join(name("1")).exists());
        assert_eq!(start("2").as_deref(), Some("3"), "gone back to");
        assert!(kept.join("somebody else's").exists() && kept.join("a file").exists());
    }

    #[test]
    fn a_release_that_was_never_served_does_not_push_the_one_before_out() {
        let folder = tempfile::tempdir().unwrap();
        let (page, kept) = (folder.path().join("page"), folder.path().join("kept"));
        fs::create_dir_all(&page).unwrap();
        fs::write(page.join(DOCUMENT), "").unwrap();
        keep(&page, &kept, "served......").unwrap();
        for release in ["failed......", "next........"] {
            let former = find(&kept, release).unwrap();
            assert!(former.ends_with("served......"), "{}", former.display());
        }
    }
}
