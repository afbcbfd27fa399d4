//! What can go wrong between Slipway and Slurm, kept apart by what it means for people.

/// Why Slurm gave no good answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlurmError {
    /// Nobody answered, or slurmrestd could not reach slurmctld or slurmdbd. `sent` tells whether the
    /// request may have been carried out all the same.
    #[error("Slurm cannot be reached: {cause}")]
    Unreachable {
        /// For the log.
        cause: String,
        /// The request may have arrived.
        sent: bool,
    },
    /// The process that has Slurm's key does not answer, or not us: nothing can be asked of Slurm.
    #[error("the signer of Slurm's tokens does not answer: {0}")]
    SignerAway(String),
    /// Slipway itself signs no token for this name.
    #[error("no token is signed: {0}")]
    NotSigned(String),
    /// Slurm did not accept Slipway's token: a wrong key, or clocks apart.
    #[error("Slurm refused the token: {0}")]
    TokenRefused(String),
    /// Slurm understood, and said no.
    #[error("Slurm refused: {message} ({code})")]
    Refused {
        /// Slurm's own words.
        message: String,
        /// Slurm's error number.
        code: i64,
    },
    /// Slurm does not know this job (any more).
    #[error("Slurm does not know this")]
    NotFound,
    /// An answer in a shape that no known version has.
    #[error("Slurm's answer was not understood: {0}")]
    NotUnderstood(String),
    /// No version of the API is known to both sides.
    #[error("this Slurm is too old or too new: it offers none of the API versions {0}")]
    Version(String),
}

impl SlurmError {
    /// Slurm is away, or out of reach without a signer: a state that passes, not an answer.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::SignerAway(_))
    }
}

/// Slurm's error numbers that mean something of their own (`slurm/slurm_errno.h`).
pub(super) mod number {
    /// `SLURM_UNEXPECTED_MSG_ERROR` … up to 1899: slurmrestd could not talk to slurmctld.
    pub(crate) const COMMUNICATION: std::ops::RangeInclusive<i64> = 1800..=1899;
    /// Of these the ones after which slurmctld certainly has not had the request: no connection.
    pub(crate) const NOT_SENT: [i64; 3] = [1800, 1804, 1805];
    /// The same from below slurmrestd's own names for them: an answer that was cut off or did not come.
    pub(crate) const CUT_OFF: [i64; 6] = [1000, 1003, 1004, 5003, 5004, 5005];
    /// `EPERM`: what a cancel is answered when slurmctld is away; whoever may not cancel a job is told 2002.
    pub(crate) const NOT_PERMITTED: i64 = 1;
    /// `SLURM_PROTOCOL_AUTHENTICATION_ERROR`.
    pub(crate) const AUTHENTICATION: i64 = 1007;
    /// `ESLURM_INVALID_JOB_ID`.
    pub(crate) const INVALID_JOB_ID: i64 = 2017;
    /// `ESLURM_ALREADY_DONE`.
    pub(crate) const ALREADY_DONE: i64 = 2021;
    /// `ESLURM_DB_CONNECTION`: the database daemon is away, or refused the token.
    pub(crate) const DATABASE: i64 = 7000;
    /// Anything (`SLURM_ERROR`).
    pub(crate) const UNSPECIFIED: i64 = -1;
}
