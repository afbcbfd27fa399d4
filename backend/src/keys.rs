//! Secret files: made with mode 0600, refused when others could read them or when they are weak.

mod pair;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
pub use pair::{SlurmPair, create_slurm_key_pair};
use secrecy::{ExposeSecret, SecretSlice};

use crate::permissions;

/// The least number of bytes of a secret.
const MIN_BYTES: usize = 32;

/// Why a secret file cannot be used. Each says which file, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read or written.
    #[error("{path}: {cause}{}", permissions::owner_hint(.path, .cause))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Others than its owner may read or change it.
    #[error("{path}: mode {mode:04o} lets others read it; make it 0600 (chmod 600 {path})")]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Everybody may put another file in its place.
    #[error("{path}: everybody can write into {folder}, and put another key there (chmod o-w {folder})")]
    Replaceable {
        /// The file.
        path: PathBuf,
        /// The folder that it is in, or that a link leads to.
        folder: PathBuf,
    },
    /// Too short or too plain to be a secret.
    #[error(
        "{path}: too weak for a key: needs at least {MIN_BYTES} random bytes; make one with `slipway key new secret {path}`"
    )]
    Weak {
        /// The file.
        path: PathBuf,
    },
    /// Two purposes share one secret.
    #[error("{first} and {second} hold the same key; each purpose needs its own (`slipway key new secret FILE`)")]
    Equal {
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// The cryptographic library could not make a key.
    #[error("{path}: no key could be made")]
    Generate {
        /// The file it was for.
        path: PathBuf,
    },
}

/// A secret and the file it came from.
#[derive(Clone, Debug)]
pub struct Secret {
    /// Where it was read.
    pub path: PathBuf,
    /// The bytes, as they stand in the file.
    pub bytes: SecretSlice<u8>,
}

impl Secret {
    /// Reads a secret that has to be there.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let io = |cause| KeyError::Io {
            path: path.to_owned(),
            cause,
        };
        // Who may not read a file but for its owner is the owner, or root: whose it is need not be asked.
        let mut file = fs::File::open(path).map_err(io)?;
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Readable {
                path: path.to_owned(),
                mode,
            });
        }
        refuse_replaceable(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        if is_weak(&bytes) {
            return Err(KeyError::Weak { path: path.to_owned() });
        }
        Ok(Self {
            path: path.to_owned(),
            bytes: bytes.into(),
        })
    }

    /// Reads a secret, or makes it at the first start.
    pub fn read_or_create(path: &Path) -> Result<Self, KeyError> {
        if !path.exists() {
            create_secret(path)?;
        }
        Self::read(path)
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        self.bytes.expose_secret()
    }
}

/// Refuses a file where everybody may put another, of the link's folder and of that where it leads.
fn refuse_replaceable(path: &Path) -> Result<(), KeyError> {
    let found = permissions::replaceable_in(path).map_err(|cause| KeyError::Io {
        path: path.to_owned(),
        cause,
    })?;
    match found {
        Some(folder) => Err(KeyError::Replaceable {
            path: path.to_owned(),
            folder,
        }),
        None => Ok(()),
    }
}

/// Refuses two secrets that are the same.
pub fn refuse_equal(secrets: &[&Secret]) -> Result<(), KeyError> {
    for (i, first) in secrets.iter().enumerate() {
        if let Some(second) = secrets[i + 1..].iter().find(|second| second.expose() == first.expose()) {
            return Err(KeyError::Equal {
                first: first.path.clone(),
                second: second.path.clone(),
            });
        }
    }
    Ok(())
}

/// Short, or made of so few different bytes that nobody drew it at random.
fn is_weak(bytes: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in bytes {
        seen[usize::from(*byte)] = true;
    }
    bytes.len() < MIN_BYTES || seen.iter().filter(|seen| **seen).count() < 10
}

/// `length` random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], aws_lc_rs::error::Unspecified> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)?;
    Ok(bytes)
}

/// Writes a new random secret with mode 0600; refuses to replace a file.
pub fn create_secret(path: &Path) -> Result<(), KeyError> {
    let bytes: [u8; 48] = random().map_err(|_| KeyError::Generate { path: path.to_owned() })?;
    write_private(path, &bytes)
}

/// A short name for a key, made from its public or hashed bytes.
pub fn key_id(bytes: &[u8]) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..9])
}

/// Writes a new file that only its owner may read. Where root makes it in a folder of another user, that user is the
/// owner: it is the service that reads it.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    write_new(path, bytes, |file| {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = fs::metadata(folder.unwrap_or(Path::new(".")))?;
        if permissions::own_uid() == 0 && folder.uid() != 0 {
            fchown(file, Some(folder.uid()), Some(folder.gid()))?;
        }
        Ok(())
    })
}

/// Writes a new file with the owner, the group and at most the mode 0640 of one that it will replace.
pub fn write_like(path: &Path, bytes: &[u8], before: &fs::Metadata) -> Result<(), KeyError> {
    write_new(path, bytes, |file| {
        let now = file.metadata()?;
        if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
            fchown(file, Some(before.uid()), Some(before.gid()))?;
        }
        file.set_permissions(fs::Permissions::from_mode(before.mode() & 0o640))
    })
}

fn write_new(
    path: &Path,
    bytes: &[u8],
    prepare: impl FnOnce(&fs::File) -> std::io::Result<()>,
) -> Result<(), KeyError> {
    let io = |cause| KeyError::Io {
        path: path.to_owned(),
        cause,
    };
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(io)?;
    let written = prepare(&file).and_then(|()| file.write_all(bytes));
    written.map_err(|cause| {
        let _ = fs::remove_file(path);
        io(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let made = Secret::read_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Secret::read_or_create(&path).unwrap().expose(), made.expose());
        assert!(create_secret(&path).is_err(), "a key was replaced");
    }

    #[test]
    fn weak_readable_and_equal_secrets_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8], mode| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let good: Vec<u8> = (0..48).collect();
        assert!(matches!(
            Secret::read(&file("short", b"secret", 0o600)),
            Err(KeyError::Weak { .. })
        ));
        assert!(matches!(
            Secret::read(&file("plain", &[b'x'; 64], 0o600)),
            Err(KeyError::Weak { .. })
        ));
        assert!(matches!(
            Secret::read(&file("open", &good, 0o644)),
            Err(KeyError::Readable { mode: 0o644, .. })
        ));
        let (a, b) = (file("a", &good, 0o600), file("b", &good, 0o400));
        let (a, b) = (Secret::read(&a).unwrap(), Secret::read(&b).unwrap());
        assert!(
            refuse_equal(&[&a, &b])
                .unwrap_err()
                .to_string()
                .contains("hold the same key")
        );
    }

    #[test]
    fn behind_a_link_the_file_itself_counts_and_both_folders() {
        let folder = tempfile::tempdir().unwrap();
        let (behind, open) = (folder.path().join("behind"), folder.path().join("open"));
        fs::create_dir(&behind).unwrap();
        fs::create_dir(&open).unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let (key, link) = (behind.join("key"), folder.path().join("link"));
        create_secret(&key).unwrap();
        std::os::unix::fs::symlink(&key, &link).unwrap();
        assert!(Secret::read(&link).is_ok());
        mode(&key, 0o640);
        assert!(matches!(
            Secret::read(&link),
            Err(KeyError::Readable { mode: 0o640, .. })
        ));
        mode(&key, 0o600);
        mode(&behind, 0o1777);
        assert!(matches!(Secret::read(&link), Err(KeyError::Replaceable { folder, .. }) if folder.ends_with("behind")));
        mode(&behind, 0o755);
        std::os::unix::fs::symlink(&key, open.join("link")).unwrap();
        mode(&open, 0o777);
        let error = Secret::read(&open.join("link")).unwrap_err().to_string();
        assert!(error.contains("open/link") && error.contains("chmod o-w"), "{error}");
    }
}
