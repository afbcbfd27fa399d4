//! Slurm's errors: number and words as `slurm_errno.h` and its table have them.
//! Those not marked otherwise were seen in recorded answers of Slurm 24.11.

use std::borrow::Cow;

/// One of Slurm's errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlurmError {
    /// `error_number` in answers, `code` in a cancellation's status.
    pub(crate) number: i32,
    /// Slurm's words for it.
    pub(crate) text: Cow<'static, str>,
}

impl SlurmError {
    pub(crate) const fn fixed(number: i32, text: &'static str) -> Self {
        Self {
            number,
            text: Cow::Borrowed(text),
        }
    }

    pub(crate) fn new(number: i32, text: String) -> Self {
        Self {
            number,
            text: Cow::Owned(text),
        }
    }
}

pub(crate) const NO_ERROR: SlurmError = SlurmError::fixed(0, "No error");
pub(crate) const UNSPECIFIED: SlurmError = SlurmError::fixed(-1, "Unspecified error");
pub(crate) const NOT_PERMITTED: SlurmError = SlurmError::fixed(1, "Operation not permitted");
pub(crate) const BAD_TOKEN: SlurmError = SlurmError::fixed(1007, "Protocol authentication error");
pub(crate) const UNREACHABLE: SlurmError =
    SlurmError::fixed(1800, "Unable to contact slurm controller (connect failure)");
pub(crate) const BAD_PARTITION: SlurmError = SlurmError::fixed(2000, "Invalid partition name specified");
pub(crate) const ACCESS_DENIED: SlurmError = SlurmError::fixed(2002, "Access/permission denied");
/// Not recorded; number from Slurm's header.
pub(crate) const BAD_NODE_COUNT: SlurmError = SlurmError::fixed(2006, "Node count specification invalid");
/// Not recorded; number from Slurm's header.
pub(crate) const NO_SCRIPT: SlurmError = SlurmError::fixed(2009, "Job script not specified");
pub(crate) const BAD_USER: SlurmError = SlurmError::fixed(2010, "Invalid user id");
pub(crate) const NO_SUCH_CONFIGURATION: SlurmError =
    SlurmError::fixed(2014, "Requested node configuration is not available");
pub(crate) const BAD_JOB_ID: SlurmError = SlurmError::fixed(2017, "Invalid job id specified");
/// Not recorded; number from Slurm's header.
pub(crate) const BAD_NODE_NAME: SlurmError = SlurmError::fixed(2018, "Invalid node name specified");
pub(crate) const NO_ENVIRONMENT: SlurmError = SlurmError::fixed(2019, "I/O error writing script/environment to file");
pub(crate) const NOT_NOW: SlurmError = SlurmError::fixed(2020, "Job can not be altered now, try again later");
pub(crate) const ALREADY_DONE: SlurmError = SlurmError::fixed(2021, "Job/step already completing or completed");
/// Not recorded; number from Slurm's header.
pub(crate) const NOT_SUPPORTED: SlurmError =
    SlurmError::fixed(2037, "Requested operation not supported on this system");
/// Not recorded; number from Slurm's header.
pub(crate) const BAD_DEPENDENCY: SlurmError = SlurmError::fixed(2039, "Job dependency problem");
pub(crate) const HELD: SlurmError = SlurmError::fixed(2042, "Job is in held state, pending scheduler release");
pub(crate) const BAD_ACCOUNT: SlurmError =
    SlurmError::fixed(2045, "Invalid account or account/partition combination specified");
/// Not recorded; number and words from Slurm's sources.
pub(crate) const ACCOUNTING_POLICY: SlurmError = SlurmError::fixed(
    2050,
    "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
);
/// Not recorded; number from Slurm's header.
pub(crate) const BAD_RESERVATION: SlurmError = SlurmError::fixed(2053, "Requested reservation is invalid");
pub(crate) const RESERVATION_ACCESS: SlurmError = SlurmError::fixed(2052, "Access denied to requested reservation");
pub(crate) const NO_DIRECTORY: SlurmError = SlurmError::fixed(
    2063,
    "Job cannot be submitted without the current working directory specified.",
);
/// Not recorded; number from Slurm's header.
pub(crate) const BAD_QOS: SlurmError = SlurmError::fixed(2066, "Invalid qos specification");
pub(crate) const PARTITION_NOT_AVAILABLE: SlurmError =
    SlurmError::fixed(2070, "Required partition not available (inactive or drain)");
/// Not recorded; number from Slurm's header.
pub(crate) const BAD_GRES: SlurmError = SlurmError::fixed(2072, "Invalid generic resource (gres) specification");
pub(crate) const NO_DATABASE: SlurmError = SlurmError::fixed(7000, "Unable to connect to database");
pub(crate) const NOT_CONVERTIBLE: SlurmError = SlurmError::fixed(9202, "Unable to convert Data type");
pub(crate) const BAD_FLAG: SlurmError = SlurmError::fixed(9207, "Data parser unable to parse invalid flag");
/// Not recorded; number between two that were.
pub(crate) const NOT_A_LIST: SlurmError = SlurmError::fixed(9208, "Data parser expected a list");
pub(crate) const NOT_AN_OBJECT: SlurmError = SlurmError::fixed(9209, "Data parser expected a dictionary or object");
