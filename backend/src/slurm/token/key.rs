//! What a key file for Slurm's tokens may hold: an RSA key of a pair, or Slurm's own secret.

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::RsaKeyPair;
use jsonwebtoken::{Algorithm, EncodingKey};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

use crate::keys::Secret;

/// What to do about most of what can be wrong.
const MAKE_ONE: &str = "make a pair with `slipway key new slurm FOLDER`";

/// The key and how it signs; or what is wrong with it, and what would be right.
pub(super) fn read(secret: &Secret, key_id: Option<&str>) -> Result<(EncodingKey, Algorithm), String> {
    let (bytes, path) = (secret.expose(), secret.path.display());
    let refuse = |what: &str| Err(format!("{path}: {what}"));
    // Anywhere in it: openssl writes lines of its own before some.
    let text = str::from_utf8(bytes).unwrap_or_default();
    let label = text
        .split_once("-----BEGIN ")
        .and_then(|(_, rest)| rest.split_once("-----"))
        .map(|(label, _)| label);
    match label {
        None if text.trim_start().starts_with('{') => refuse(
            "this is JSON: jwks.json is for Slurm, and slurm.pem, which `slipway key new slurm` made beside it, is the key",
        ),
        None if key_id.is_some() => refuse(
            "this is no PEM file, and key_id is given, which belongs to a key pair: correct key_file, or leave key_id out",
        ),
        None => Ok((EncodingKey::from_secret(bytes), Algorithm::HS256)),
        Some(_) if text.contains("ENCRYPTED") => refuse(
            "this key is encrypted, and nobody could type its password at a start: write it without one (openssl pkey -in OLD -out NEW)",
        ),
        Some("PRIVATE KEY" | "RSA PRIVATE KEY") => {
            check_rsa(bytes).map_err(|what| format!("{path}: {what}"))?;
            if key_id.is_none() {
                return refuse("key_id is missing: with a key pair it has to be the `kid` in Slurm's jwks.json");
            }
            let key = EncodingKey::from_rsa_pem(bytes).map_err(|e| format!("{path}: not an RSA key: {e}"))?;
            Ok((key, Algorithm::RS256))
        }
        Some(label) if label.starts_with("EC ") => refuse(&not_rsa()),
        Some(label) if label.ends_with("PUBLIC KEY") || label == "CERTIFICATE" => {
            refuse("this is the public half of a pair, which cannot sign: key_file is the private one (slurm.pem)")
        }
        Some("OPENSSH PRIVATE KEY") => refuse(&format!("this is a key for ssh: {MAKE_ONE}")),
        Some(label) => {
            let label: String = label.chars().take(40).collect();
            refuse(&format!("this is a {label:?}, not an RSA private key: {MAKE_ONE}"))
        }
    }
}

fn check_rsa(pem: &[u8]) -> Result<(), String> {
    let broken = |e: &dyn std::fmt::Display| format!("this key cannot be read ({e}): {MAKE_ONE}");
    let pair = match PrivateKeyDer::from_pem_slice(pem).map_err(|e| broken(&e))? {
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        _ => return Err(not_rsa()),
    };
    pair.map(drop)
        .map_err(|error: KeyRejected| match error.to_string().as_str() {
            "TooSmall" => format!("this RSA key has less than 2048 bits: {MAKE_ONE}"),
            "WrongAlgorithm" => not_rsa(),
            _ => broken(&error),
        })
}

fn not_rsa() -> String {
    format!("this is no RSA key (EC and Ed25519 cannot sign for Slurm): {MAKE_ONE}")
}
