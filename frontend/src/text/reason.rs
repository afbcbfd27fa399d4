//! Slurm's reasons for a wait (squeue(1), JOB REASON CODES), sorted by what they mean to a person.

/// Why a job waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason<'a> {
    /// Slurm has not looked at it yet.
    NotYet,
    /// Others are ahead.
    Priority,
    /// It is its turn as soon as something is free.
    Resources,
    /// Another job of the same person, or one it depends on, has to end.
    OtherJob,
    /// Held by the person.
    HeldByYou,
    /// Held by an administrator.
    HeldByStaff,
    /// Its time to begin, or its reservation's, has not come.
    NotBefore,
    /// Asks for more than this part of the cluster ever gives: it will not start.
    TooMuch,
    /// This part of the cluster is closed.
    Closed,
    /// The nodes it needs are away.
    NodesAway,
    /// A limit on how much one person may use at once.
    PersonLimit,
    /// A limit on how much a compute account may use at once.
    AccountLimit,
    /// Something else, in Slurm's own word.
    Other(&'a str),
}

impl<'a> Reason<'a> {
    /// Sorts Slurm's word. Some come with more behind them: `ReqNodeNotAvail, UnavailableNodes:n1`.
    pub(crate) fn from_slurm(word: Option<&'a str>) -> Self {
        let word = word.unwrap_or_default().trim();
        let head = word.split([',', ' ', '(']).next().unwrap_or_default();
        match head {
            "" | "None" | "Cleaning" | "Prolog" => Self::NotYet,
            "Priority" => Self::Priority,
            "Resources" | "Licenses" => Self::Resources,
            "Dependency" | "DependencyNeverSatisfied" | "JobArrayTaskLimit" => Self::OtherJob,
            "JobHeldUser" => Self::HeldByYou,
            "JobHeldAdmin" | "JobHoldMaxRequeue" => Self::HeldByStaff,
            "BeginTime" | "Reservation" => Self::NotBefore,
            "PartitionTimeLimit" | "PartitionNodeLimit" | "PartitionConfig" | "BadConstraints" | "TimeLimit" => {
                Self::TooMuch
            }
            "PartitionDown" | "PartitionInactive" => Self::Closed,
            "ReqNodeNotAvail" | "NodeDown" | "ReservationDeleted" => Self::NodesAway,
            "AssociationJobLimit" | "AssociationResourceLimit" | "AssociationTimeLimit" => Self::AccountLimit,
            _ if head.starts_with("Assoc") || head.starts_with("InvalidAccount") => Self::AccountLimit,
            _ if head.starts_with("QOS") || head.starts_with("MaxJobs") || head.starts_with("MaxSubmitJobs") => {
                Self::PersonLimit
            }
            _ => Self::Other(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_reasons_are_known_and_others_kept_in_slurms_words() {
        for (word, reason) in [
            ("None", Reason::NotYet),
            ("Priority", Reason::Priority),
            ("ReqNodeNotAvail, UnavailableNodes:bc[1-4]", Reason::NodesAway),
            ("ReqNodeNotAvail(Unavailable:n1)", Reason::NodesAway),
            ("QOSMaxJobsPerUserLimit", Reason::PersonLimit),
            ("MaxJobsPerAccount", Reason::PersonLimit),
            ("AssocGrpCpuLimit", Reason::AccountLimit),
            ("BurstBufferStageIn", Reason::Other("BurstBufferStageIn")),
        ] {
            assert_eq!(Reason::from_slurm(Some(word)), reason, "{word}");
        }
        assert_eq!(Reason::from_slurm(None), Reason::NotYet);
    }
}
