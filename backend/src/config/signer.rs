//! `[signer]`

use std::path::PathBuf;

use serde::Deserialize;

/// What `slipway sign` reads, besides `slurm.signer`, where it listens, and its limits: `slurm.service_user`,
/// `slurm.token_seconds`, `sign_in.blocked` and `identity.numeric_names`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// The key that signs tokens: a PEM file (RS256) or Slurm's own secret (HS256).
    pub key_file: PathBuf,
    /// The `kid` of the key in Slurm's jwks.json (RS256).
    pub key_id: Option<String>,
    /// The number (uid) of the user who runs `slipway serve`; without it, only the signer's own is served.
    pub allow_uid: Option<u32>,
}
