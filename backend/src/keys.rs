//! Secret files: made with mode 0600, refused when others could read them or when they are weak.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretSlice};

/// The least number of bytes of a secret.
const MIN_BYTES: usize = 32;

/// Why a secret file cannot be used. Each says which file, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read or written.
    #[error("{path}: {cause}")]
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
        let mode = fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Readable {
                path: path.to_owned(),
                mode,
            });
        }
        let bytes = fs::read(path).map_err(io)?;
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

/// Makes the key pair with which Slipway signs for Slurm: `slurm.pem` (private, 0600) and `jwks.json`
/// (public, for `AuthAltParameters=jwks=…` of slurm.conf and slurmdbd.conf) in `folder`.
pub fn create_slurm_key_pair(folder: &Path) -> Result<(PathBuf, PathBuf), KeyError> {
    let (private, public) = (folder.join("slurm.pem"), folder.join("jwks.json"));
    let failed = || KeyError::Generate { path: private.clone() };
    let pair = RsaKeyPair::generate(KeySize::Rsa3072).map_err(|_| failed())?;
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| failed())?;
    write_private(&private, pem("PRIVATE KEY", der.as_ref()).as_bytes())?;
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
    let key_id = key_id(n.big_endian_without_leading_zero());
    let jwks = serde_json::json!({ "keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key_id,
        "n": number(n.big_endian_without_leading_zero()), "e": number(e.big_endian_without_leading_zero()),
    }] });
    fs::write(&public, format!("{jwks:#}\n")).map_err(|cause| KeyError::Io {
        path: public.clone(),
        cause,
    })?;
    Ok((private, public))
}

/// A short name for a key, made from its public or hashed bytes.
pub fn key_id(bytes: &[u8]) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..9])
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Writes a new file that only its owner may read.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
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
    file.write_all(bytes).map_err(io)
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
    fn the_pair_for_slurm_signs_what_its_jwks_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let (private, public) = create_slurm_key_pair(folder.path()).unwrap();
        let jwks: serde_json::Value = serde_json::from_slice(&fs::read(public).unwrap()).unwrap();
        let key = &jwks["keys"][0];
        let signer = jsonwebtoken::EncodingKey::from_rsa_pem(&fs::read(private).unwrap()).unwrap();
        let claims = serde_json::json!({ "sun": "ada", "exp": 4_000_000_000_u64 });
        let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
        let token = jsonwebtoken::encode(&header, &claims, &signer).unwrap();
        let (n, e) = (key["n"].as_str().unwrap(), key["e"].as_str().unwrap());
        let verifier = jsonwebtoken::DecodingKey::from_rsa_components(n, e).unwrap();
        let rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
        assert!(jsonwebtoken::decode::<serde_json::Value>(&token, &verifier, &rules).is_ok());
    }
}
