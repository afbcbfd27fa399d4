//! The page's files of the release before this one, kept beside the state: a page that was opened before an upgrade still
//! asks for what it has not needed yet, such as the words of the other language.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A release's last file: with it, it is complete. Its time is when that release was started last.
const DOCUMENT: &str = "index.html";

/// Keeps the page in `page` for the release after this one, under its name; tells where the one before is, if there was one.
pub(super) fn keep(page: &Path, name: &str, kept: &Path) -> io::Result<Option<PathBuf>> {
    let own = kept.join(name);
    if !own.join(DOCUMENT).exists() {
        fs::create_dir_all(&own)?;
        for file in fs::read_dir(page)? {
            let file = file?;
            if file.file_type()?.is_file() && file.file_name() != DOCUMENT {
                fs::copy(file.path(), own.join(file.file_name()))?;
            }
        }
    }
    fs::write(own.join(DOCUMENT), fs::read(page.join(DOCUMENT))?)?;
    let mut others = Vec::new();
    for folder in fs::read_dir(kept)? {
        let folder = folder?.path();
        if folder != own {
            let started = fs::metadata(folder.join(DOCUMENT)).and_then(|document| document.modified());
            others.push((started.ok(), folder));
        }
    }
    // The one before is what was started last before this one, also if somebody goes back to an older one.
    others.sort();
    let former = others.pop_if(|(started, _)| started.is_some());
    for (_, older) in others {
        fs::remove_dir_all(older)?;
    }
    Ok(former.map(|(_, folder)| folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_release_and_the_one_before_are_kept_and_no_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let (page, kept) = (folder.path().join("page"), folder.path().join("kept"));
        let release = |name: &str| {
            fs::create_dir_all(&page).unwrap();
            fs::write(page.join(format!("{name}.js")), name).unwrap();
            fs::write(page.join(DOCUMENT), name).unwrap();
            let former = keep(&page, name, &kept).unwrap();
            fs::remove_dir_all(&page).unwrap();
            former.map(|folder| fs::read_to_string(folder.join(DOCUMENT)).unwrap())
        };
        assert_eq!(release("first"), None);
        assert_eq!(release("first").as_deref(), None, "started again");
        assert_eq!(release("second").as_deref(), Some("first"));
        assert_eq!(release("third").as_deref(), Some("second"));
        assert!(kept.join("third/third.js").exists() && !kept.join("first").exists());
        assert_eq!(release("second").as_deref(), Some("third"), "gone back to");
    }

    #[test]
    fn what_was_not_copied_to_its_end_is_copied_again_and_never_served() {
        let folder = tempfile::tempdir().unwrap();
        let (page, kept) = (folder.path().join("page"), folder.path().join("kept"));
        fs::create_dir_all(&page).unwrap();
        fs::write(page.join("a.js"), "whole").unwrap();
        fs::write(page.join(DOCUMENT), "").unwrap();
        for name in ["now", "before"] {
            fs::create_dir_all(kept.join(name)).unwrap();
            fs::write(kept.join(name).join("a.js"), "wh").unwrap();
        }
        assert_eq!(keep(&page, "now", &kept).unwrap(), None);
        assert_eq!(fs::read_to_string(kept.join("now/a.js")).unwrap(), "whole");
        assert!(!kept.join("before").exists());
    }
}
