//! Who may read, change or replace the files that Slipway relies on.
//!
//! The rules are those of `sshd` and `postgres`: what decides who may do what is writable by its owner alone, and its
//! owner is root or the user of the service; what holds secrets is readable by its owner alone, or, if root owns it, by
//! its group as well. Symbolic links are followed: the file itself counts, and both folders.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::config::Config;

/// Why a file cannot be relied on. Each says which file, and the command that mends it.
#[derive(Debug, thiserror::Error)]
pub enum PermissionError {
    /// It cannot be looked at.
    #[error("{path}: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Others than its owner may change it.
    #[error("{path}: mode {mode:04o} lets other users change it: chmod {right:04o} {path}")]
    Writable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode that it should have.
        right: u32,
    },
    /// Others than its owner may read it.
    #[error("{path}: mode {mode:04o} lets other users read it: chmod {right:04o} {path}")]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode that it should have.
        right: u32,
    },
    /// Its owner may change it, and is an ordinary user.
    #[error("{path}: belongs to uid {owner}, who is neither root nor the user of Slipway: chown root {path}")]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// Everybody may put another file in its place.
    #[error("{path}: everybody can write into {folder}, and put another file there: chmod o-w {folder}")]
    Replaceable {
        /// The file.
        path: PathBuf,
        /// The folder that it is in, or that a link leads to.
        folder: PathBuf,
    },
}

type Result<T> = std::result::Result<T, PermissionError>;

/// Refuses a file that others than root and Slipway's own user may change or replace, such as the configuration.
pub fn check_trusted(path: &Path) -> Result<()> {
    let metadata = metadata(path)?;
    check_writers(path, &metadata)?;
    match replaceable_in(path).map_err(|cause| io_error(path, cause))? {
        Some(folder) => Err(PermissionError::Replaceable {
            path: path.to_owned(),
            folder,
        }),
        None => Ok(()),
    }
}

/// The same for the users file, which has password hashes: refuses also one that others may read. Where root owns it,
/// its group may read it: `root:slipway 0640`.
pub fn check_accounts(path: &Path) -> Result<()> {
    let metadata = metadata(path)?;
    let mode = metadata.mode() & 0o777;
    let readers = if metadata.uid() == 0 { 0o005 } else { 0o055 };
    if mode & readers == 0 {
        return check_trusted(path);
    }
    // Whoever owns it reads it as its owner; otherwise it is read as its group.
    let right = if metadata.uid() == own_uid() { 0o600 } else { 0o640 };
    Err(PermissionError::Readable {
        path: path.to_owned(),
        mode,
        right,
    })
}

/// The folder in which everybody may put another file in the place of this one, if there is one: its own, or that
/// where a symbolic link leads to. On a read-only file system nobody can.
pub fn replaceable_in(path: &Path) -> io::Result<Option<PathBuf>> {
    let real = fs::canonicalize(path)?;
    for folder in [path, &real].into_iter().filter_map(Path::parent) {
        let folder = if folder == Path::new("") {
            Path::new(".")
        } else {
            folder
        };
        if is_open(folder)? {
            return Ok(Some(folder.to_owned()));
        }
    }
    Ok(None)
}

/// Whether everybody may write into a folder.
fn is_open(folder: &Path) -> io::Result<bool> {
    let is_writable = fs::metadata(folder)?.permissions().mode() & 0o002 != 0;
    // ConfigMaps of Kubernetes are mounted with mode 0777, read-only.
    Ok(is_writable && !statvfs(folder)?.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Everything that is wrong with the files that a configuration names, one on each line. What is not there yet, or
/// cannot be looked at by this user, is left to the commands that need it.
pub fn check_files(config: &Config) -> std::result::Result<(), String> {
    let (server, sign_in, slurm) = (&config.server, &config.sign_in, &config.slurm);
    let accounts = sign_in.users_file.iter().map(|path| ("sign_in.users_file", path));
    let accounts = accounts.map(|(key, path)| (key, check_accounts(path)));
    let trusted = [
        ("slurm.ca_file", slurm.ca_file.as_ref()),
        ("site.logo", config.site.logo.as_ref()),
        ("server.state", Some(&server.state)),
    ];
    let trusted = trusted
        .into_iter()
        .filter_map(|(key, path)| Some((key, check_trusted(path?))));
    let page = ("server.assets", check_folder(&server.assets));
    let wrong: Vec<_> = accounts
        .chain(trusted)
        .chain([page])
        .filter_map(|(key, checked)| match checked.err()? {
            PermissionError::Io { .. } => None,
            error => Some(format!("{key}: {error}")),
        })
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

/// The same for keys, which [`crate::keys::Secret`] refuses when it reads them: for `slipway check`, which need not be
/// able to.
pub fn check_keys(config: &Config) -> std::result::Result<(), String> {
    let tls = config.server.tls.iter().map(|tls| &tls.key_file);
    let keys = [&config.sign_in.key_file, &config.job.key_file].into_iter();
    let former = config
        .sign_in
        .previous_key_files
        .iter()
        .chain(&config.job.previous_key_files);
    let keys = keys.chain(former).chain(&config.slurm.key_file).chain(tls);
    let wrong: Vec<_> = keys.filter_map(|path| check_key(path).err()).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn check_key(path: &Path) -> Result<()> {
    let mode = fs::metadata(path).map_or(0, |file| file.mode() & 0o777);
    let readers = 0o077;
    if mode & readers == 0 {
        return Ok(());
    }
    Err(PermissionError::Readable {
        path: path.to_owned(),
        mode,
        right: mode & 0o600,
    })
}

/// Refuses a folder of files for browsers into which everybody may write.
fn check_folder(folder: &Path) -> Result<()> {
    if is_open(folder).map_err(|cause| io_error(folder, cause))? {
        return Err(PermissionError::Replaceable {
            path: folder.to_owned(),
            folder: folder.to_owned(),
        });
    }
    Ok(())
}

fn check_writers(path: &Path, metadata: &Metadata) -> Result<()> {
    let mode = metadata.mode() & 0o777;
    if mode & 0o022 != 0 {
        return Err(PermissionError::Writable {
            path: path.to_owned(),
            mode,
            right: mode & !0o022,
        });
    }
    let owner = metadata.uid();
    if owner != 0 && owner != own_uid() {
        return Err(PermissionError::Owner {
            path: path.to_owned(),
            owner,
        });
    }
    Ok(())
}

/// What to add to an error of the system about a file that belongs to another user; empty for other errors.
pub fn owner_hint(path: &Path, error: &io::Error) -> String {
    if error.kind() != io::ErrorKind::PermissionDenied {
        return String::new();
    }
    let own = own_uid();
    match fs::metadata(path).map(|file| file.uid()) {
        Ok(owner) if owner != own => {
            let path = path.display();
            format!(" (it belongs to uid {owner}, and this is uid {own}: chown {own} {path})")
        }
        _ => String::new(),
    }
}

/// The user of this process.
pub fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn metadata(path: &Path) -> Result<Metadata> {
    fs::metadata(path).map_err(|cause| io_error(path, cause))
}

fn io_error(path: &Path, cause: io::Error) -> PermissionError {
    PermissionError::Io {
        path: path.to_owned(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    fn file(mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        set_mode(&path, mode);
        (folder, path)
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_configuration_that_others_may_change_is_refused_with_the_command_that_mends_it() {
        for (mode, command) in [
            (0o666, Some("chmod 0644 ")),
            (0o664, Some("chmod 0644 ")),
            (0o660, Some("chmod 0640 ")),
            (0o644, None),
            (0o640, None),
            (0o400, None),
        ] {
            let (_folder, path) = file(mode);
            let error = check_trusted(&path).err().map(|error| error.to_string());
            let expected = command.map(|command| format!("{command}{}", path.display()));
            match (error, expected) {
                (None, None) => {}
                (Some(error), Some(command)) => assert!(error.ends_with(&command), "{error}"),
                other => panic!("{mode:o}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_users_file_that_others_may_read_is_refused_and_one_of_roots_may_have_a_group() {
        let is_root = own_uid() == 0;
        for (mode, is_good) in [
            (0o600, true),
            (0o400, true),
            (0o640, is_root),
            (0o644, false),
            (0o604, false),
        ] {
            let (_folder, path) = file(mode);
            let error = check_accounts(&path).err().map(|error| error.to_string());
            assert_eq!(error.is_none(), is_good, "{mode:o}: {error:?}");
            if let Some(error) = error {
                assert!(error.ends_with(&format!("chmod 0600 {}", path.display())), "{error}");
            }
        }
    }

    #[test]
    fn behind_a_link_the_file_itself_counts_and_both_folders() {
        let (folder, path) = file(0o644);
        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        set_mode(&open, 0o777);
        symlink(&path, open.join("link")).unwrap();
        let error = check_trusted(&open.join("link")).unwrap_err();
        assert!(
            matches!(&error, PermissionError::Replaceable { folder, .. } if *folder == open),
            "{error}"
        );
        set_mode(&open, 0o755);
        check_trusted(&open.join("link")).unwrap();
        set_mode(&path, 0o646);
        assert!(matches!(
            check_trusted(&open.join("link")),
            Err(PermissionError::Writable {
                mode: 0o646,
                right: 0o644,
                ..
            })
        ));
    }

    #[test]
    fn a_file_of_another_ordinary_user_is_refused() {
        let (_folder, path) = file(0o644);
        if chown(&path, Some(61_009), None).is_err() {
            return; // Only root can give a file away.
        }
        let error = check_trusted(&path).unwrap_err().to_string();
        assert!(error.contains("uid 61009") && error.contains("chown root "), "{error}");
    }
}
