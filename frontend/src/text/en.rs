//! The page in English.

mod phrases;
mod words;

use shared::options::{FieldError, Interface, Problem, UserOptions};
use shared::server::{EndCause, EndView, Phase};

use self::phrases::{at, date, holdings, memory};
use self::words::WORDS;
use super::format::{NBSP, duration, gb_up, span};
use super::{Fixed, Reason, Text, When};

/// English.
pub(super) struct English;

fn name(interface: Interface) -> &'static str {
    super::interface_words(&English, interface).0
}

impl Text for English {
    fn words(&self) -> &'static Fixed {
        &WORDS
    }
    fn silent(&self, since: &When) -> String {
        format!("cannot be reached since {}", at(since))
    }
    fn as_of(&self, since: &When) -> String {
        format!("Slurm has not answered since {}. What you see is from then.", at(since))
    }

    fn internal(&self, request_id: &str) -> String {
        if request_id.is_empty() {
            "Something went wrong here. If it happens again, tell support.".to_owned()
        } else {
            format!("Something went wrong here. If it happens again, tell support this number: {request_id}.")
        }
    }

    fn ends_soon(&self, when: &When) -> String {
        format!("Your login ends at {}.", at(when))
    }
    fn throttled(&self, seconds: i64) -> String {
        format!("Too many wrong passwords. Try again in {}.", span(seconds))
    }

    fn no_association_title(&self, cluster: &str) -> String {
        format!("You have no access to {cluster}")
    }
    fn enable_access(&self, cluster: &str) -> String {
        format!("Enable your access to {cluster}")
    }
    fn date(&self, when: &When) -> String {
        format!("{} {}", date(when), when.year)
    }
    fn inactive_since(&self, since: &str) -> String {
        format!("Not active since {since}.")
    }
    fn not_yours(&self, owner: &str, me: &str) -> String {
        format!("It belongs to {owner}. You are logged in as {me}.")
    }

    fn request(&self, options: &UserOptions, until: &When) -> String {
        format!(
            "{} for {}, until {}, {}",
            name(options.interface),
            duration(options.time.get().into(), '.'),
            at(until),
            holdings(options)
        )
    }
    fn request_plain(&self, options: &UserOptions) -> String {
        format!(
            "{} for {}, {}",
            name(options.interface),
            duration(options.time.get().into(), '.'),
            holdings(options)
        )
    }
    fn left(&self, seconds: i64) -> String {
        format!("{} left", span(seconds))
    }
    fn memory(&self, mib: u64) -> String {
        memory(mib)
    }
    fn at(&self, when: &When) -> String {
        at(when)
    }
    fn last_one(&self, end: &EndView) -> String {
        format!("The last one: {}", self.end(end))
    }

    fn time_hint(&self, min: u64, max: u64) -> String {
        format!(
            "From {} to {}. Write 3, 1.5 or 1:30.",
            duration(min, '.'),
            duration(max, '.')
        )
    }
    fn cores_hint(&self, min: u64, max: u64) -> String {
        format!("From {min} to {max}, on one node.")
    }
    fn memory_hint(&self, min: u64, max: u64) -> String {
        format!("From {} to {}, for everything together.", gb_up(min, '.'), memory(max))
    }
    fn until(&self, when: &When) -> String {
        format!("Until {}", at(when))
    }
    fn hours(&self, minutes: u64) -> String {
        duration(minutes, '.')
    }
    fn per_core(&self, per_core: u64, total: u64) -> String {
        format!("{} per core: {}", memory(per_core), memory(total))
    }
    fn gpu_up_to(&self, max: u32) -> String {
        format!("Up to {max} on a node.")
    }
    fn problem(&self, error: &FieldError) -> String {
        let field = error.field.as_str();
        let amount = |n: u64| match field {
            "time" => duration(n, '.'),
            "memory" => memory(n),
            _ => n.to_string(),
        };
        let what = match field {
            "account" => "The compute account",
            "time" => "The time",
            "cores" => "The number of cores",
            "memory" => "The memory",
            "gpu" => "The GPU",
            "interface" => "The interface",
            other => return format!("There is no option called {other}."),
        };
        match error.problem {
            Problem::Unknown => format!("There is no option called {field}."),
            Problem::Missing => format!("{what} is missing."),
            Problem::Malformed => match field {
                "time" => "Write the time in hours, such as 3, 1.5 or 1:30.".to_owned(),
                "cores" => "Write the number of cores as a whole number, such as 4.".to_owned(),
                "memory" => "Write the memory in GB, such as 8 or 1.5.".to_owned(),
                _ => format!("{what} was not understood."),
            },
            Problem::TooSmall { min } if field == "memory" => {
                format!("{what} has to be at least {}{NBSP}GB.", gb_up(min, '.'))
            }
            Problem::TooSmall { min } => format!("{what} has to be at least {}.", amount(min)),
            Problem::TooLarge { max } => format!("{what} can be at most {}.", amount(max)),
            Problem::NotOffered => format!("{what} is not among your choices."),
            Problem::NoSuchNode { max: 0 } => "No node in service has this GPU.".to_owned(),
            Problem::NoSuchNode { max } => format!("No node has all of this together. {what} can be {}.", amount(max)),
        }
    }

    fn step_starting(&self, node: Option<&str>) -> String {
        node.map_or_else(|| "Starting on a node".to_owned(), |node| format!("Starting on {node}"))
    }
    fn phase(&self, phase: Phase) -> &'static str {
        match phase {
            Phase::Submitting => "Sending your request",
            Phase::Queued => "In the queue",
            Phase::Starting => "Starting on the node",
            Phase::Ready => "Ready",
            Phase::Stopping => "Stopping",
            Phase::Ended => "Ended",
        }
    }
    fn reason(&self, reason: &Reason<'_>) -> String {
        match reason {
            Reason::NotYet => "Slurm has not looked at it yet.",
            Reason::Priority => "Other jobs are ahead of it.",
            Reason::Resources => "It waits for enough cores, memory or GPUs to become free.",
            Reason::OtherJob => "It waits until another job of yours has ended.",
            Reason::HeldByYou => "You have put this job on hold. “scontrol release” lets it go.",
            Reason::HeldByStaff => "An administrator has put this job on hold. Ask support.",
            Reason::NotBefore => "Its time to begin has not come yet.",
            Reason::TooMuch => "It asks for more than this part of the cluster gives. It will not start like this.",
            Reason::Closed => "This part of the cluster is closed at the moment.",
            Reason::NodesAway => "The nodes it needs are down or reserved, perhaps for maintenance.",
            Reason::PersonLimit => {
                "You have reached the most that one person may use at once. It starts when another job of yours ends."
            }
            Reason::AccountLimit => "This compute account has reached the most it may use at once.",
            Reason::Other(word) => return format!("Slurm’s reason: {word}."),
        }
        .to_owned()
    }
    fn expected(&self, when: &When) -> String {
        format!("Slurm expects to start it at {}.", at(when))
    }
    fn waited(&self, waited: i64, left: Option<i64>) -> String {
        let waited = format!("It has waited {}.", span(waited));
        match left {
            Some(left) if left > 0 => format!("{waited} If it has not started in {}, it is withdrawn.", span(left)),
            _ => waited,
        }
    }
    fn told(&self, seconds: i64) -> String {
        format!("Slurm said so {} ago.", span(seconds))
    }
    fn starting_for(&self, seconds: i64) -> String {
        format!(
            "The job has run for {}. Jupyter usually takes less than a minute to start.",
            span(seconds)
        )
    }
    fn no_news(&self, seconds: i64, when: &When) -> String {
        format!(
            "No news for {}. This is the state at {}. Trying again…",
            span(seconds),
            at(when)
        )
    }

    fn end(&self, end: &EndView) -> String {
        match &end.cause {
            EndCause::GaveUp { reason } => format!(
                "It did not start in time and was withdrawn. What held it up: {}",
                self.reason(&Reason::from_slurm(reason.as_deref()))
            ),
            EndCause::Cancelled if end.was_ready => "It was stopped.".to_owned(),
            EndCause::Cancelled => "It was cancelled before it was ready.".to_owned(),
            EndCause::Refused { .. } => "Slurm refused the request.".to_owned(),
            EndCause::Unreachable => "Slurm could not be reached, so no job was made.".to_owned(),
            EndCause::Lost => "Slurm’s answer was lost, and no job of this start was found.".to_owned(),
            EndCause::JupyterMissing => "Jupyter was not found on the node.".to_owned(),
            EndCause::SetupFailed => "The cluster’s set-up for Jupyter failed.".to_owned(),
            EndCause::NoPort => "No port was free on the node.".to_owned(),
            EndCause::PortNotTold => "The job could not tell where it listens.".to_owned(),
            EndCause::JupyterFailed { exit_code } => format!("Jupyter ended with an error (exit code {exit_code})."),
            EndCause::Finished => "Jupyter was shut down.".to_owned(),
            EndCause::TimeLimit => "Its time was over.".to_owned(),
            EndCause::OutOfMemory => "It used more memory than it had asked for.".to_owned(),
            EndCause::NodeFailed => "The node it ran on failed.".to_owned(),
            EndCause::Preempted => "It had to make room for another job.".to_owned(),
            EndCause::Other { slurm_state } => format!("Slurm ended it ({slurm_state})."),
        }
    }
    fn advice(&self, cause: &EndCause) -> &'static str {
        match cause {
            EndCause::GaveUp { .. } => {
                "Ask for less time, fewer cores or less memory, or try again later. If you have another interactive job, end it first."
            }
            EndCause::Refused { .. } => "Change what Slurm names, then start again.",
            EndCause::Unreachable | EndCause::Lost => "Nothing is charged. Try again in a minute.",
            EndCause::JupyterMissing | EndCause::SetupFailed | EndCause::PortNotTold => {
                "This is not your doing. Tell support, with the job number."
            }
            EndCause::NoPort => "Try again: it may land on another node.",
            EndCause::JupyterFailed { .. } => {
                "The end of the job’s output says why. A full home or a broken package is a common cause."
            }
            EndCause::TimeLimit => "Files are as they were last saved. Ask for more time if you need it.",
            EndCause::OutOfMemory => "Files are as they were last saved. Ask for more memory.",
            EndCause::NodeFailed | EndCause::Preempted => {
                "Files are as they were last saved. Start again when you like."
            }
            EndCause::Cancelled | EndCause::Finished => "Files are as they were last saved.",
            EndCause::Other { .. } => "Try again. If it happens again, tell support, with the job number.",
        }
    }
    fn job(&self, id: u64) -> String {
        format!("Job {id}")
    }
}
