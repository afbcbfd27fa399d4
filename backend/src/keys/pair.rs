//! The key pair with which Slipway signs for Slurm, and the file with which Slurm checks that.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{KeyError, key_id, write_private};

/// A new pair.
#[derive(Debug)]
pub struct SlurmPair {
    /// The private half: PEM, 0600, for `key_file`.
    pub private: PathBuf,
    /// Slurm's jwks.json, for `AuthAltParameters=jwks=…` of slurm.conf and slurmdbd.conf.
    pub public: PathBuf,
    /// The name of the pair in jwks.json, for `key_id`.
    pub key_id: String,
}

/// What jwks.json is (RFC 7517, section 5).
#[derive(Default, Deserialize, Serialize)]
struct Jwks {
    keys: Vec<Value>,
}

/// Makes a pair in `folder`: `slurm.pem` and `jwks.json`. Where there is one already, nothing of it goes: the new
/// private half is `slurm-ID.pem`, and the new public half stands beside the others, so that Slurm takes tokens of
/// both until Slipway signs with the new one.
pub fn create_slurm_key_pair(folder: &Path) -> Result<SlurmPair, KeyError> {
    let public = folder.join("jwks.json");
    let io = |cause| KeyError::Io {
        path: public.clone(),
        cause,
    };
    let mut jwks = match fs::read(&public) {
        Ok(bytes) => serde_json::from_slice::<Jwks>(&bytes).map_err(|e| io(e.into()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Jwks::default(),
        Err(error) => return Err(io(error)),
    };
    let first = folder.join("slurm.pem");
    let failed = || KeyError::Generate { path: first.clone() };
    let pair = RsaKeyPair::generate(KeySize::Rsa3072).map_err(|_| failed())?;
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| failed())?;
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
    let key_id = key_id(n.big_endian_without_leading_zero());
    let private = if first.exists() {
        folder.join(format!("slurm-{key_id}.pem"))
    } else {
        first
    };
    write_private(&private, pem("PRIVATE KEY", der.as_ref()).as_bytes())?;
    jwks.keys.push(json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key_id,
        "n": number(n.big_endian_without_leading_zero()), "e": number(e.big_endian_without_leading_zero()),
    }));
    let text = serde_json::to_string_pretty(&jwks).map_err(|e| io(e.into()))?;
    replace(&public, &format!("{text}\n")).map_err(io)?;
    Ok(SlurmPair {
        private,
        public,
        key_id,
    })
}

/// Whoever reads the file meanwhile reads the old one or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|e| e.error)
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};

    use super::*;

    /// Whether Slurm would take what this pair signs.
    fn is_verified(pair: &SlurmPair) -> bool {
        let jwks: JwkSet = serde_json::from_slice(&fs::read(&pair.public).unwrap()).unwrap();
        let key = DecodingKey::from_jwk(jwks.find(&pair.key_id).unwrap()).unwrap();
        let signer = EncodingKey::from_rsa_pem(&fs::read(&pair.private).unwrap()).unwrap();
        let claims = json!({ "sun": "ada", "exp": 4_000_000_000_u64 });
        let token = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &signer).unwrap();
        jsonwebtoken::decode::<Value>(&token, &key, &Validation::new(Algorithm::RS256)).is_ok()
    }

    #[test]
    fn the_pair_for_slurm_signs_what_its_jwks_verifies_and_so_does_the_next_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = create_slurm_key_pair(folder.path()).unwrap();
        assert!(first.private.ends_with("slurm.pem") && is_verified(&first));
        let before = fs::read(&first.private).unwrap();
        let second = create_slurm_key_pair(folder.path()).unwrap();
        assert_eq!(fs::read(&first.private).unwrap(), before, "a key was replaced");
        assert!(second.key_id != first.key_id && is_verified(&second) && is_verified(&first));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&second.private), mode(&second.public)), (0o600, 0o644));
    }

    #[test]
    fn a_jwks_that_is_none_is_kept_and_no_key_is_made() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("jwks.json"), "not JSON").unwrap();
        let error = create_slurm_key_pair(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("jwks.json") && !folder.path().join("slurm.pem").exists(),
            "{error}"
        );
        assert_eq!(fs::read(folder.path().join("jwks.json")).unwrap(), b"not JSON");
    }
}
