//! Versions of slurmrestd's API, and choosing one.

/// A version that Slipway speaks. v0.0.42 is served by Slurm 24.11 to 26.05 in the same shape; later ones
/// differ in fields that the wire types treat as optional.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion(u8);

impl ApiVersion {
    /// What Slipway speaks, newest first.
    pub const KNOWN: [Self; 4] = [Self(45), Self(44), Self(43), Self(42)];

    /// All of them, for people.
    pub fn known_text() -> String {
        Self::KNOWN.map(|version| version.to_string()).join(", ")
    }
}

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "v0.0.{}", self.0)
    }
}
