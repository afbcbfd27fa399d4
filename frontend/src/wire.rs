//! The API's answers, read from JSON into the types that the server wrote them from.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, Error, IntoDeserializer};
use shared::api::{
    AnnouncementView, Bilingual, BoardRow, BoardView, ErrorCode, ErrorView, HubView, InterfaceView, Landing, Links,
    Note, SiteView, UserView,
};
use shared::names::{AccountName, InterfaceName, ProfileName, SlurmName, UserName};
use shared::options::{
    AccountView, Ages, Charge, EventView, FieldError, Free, GpuView, Gpus, Lock, NodeClass, OptionsView, OtherJob,
    Problem, ProfileView, Range, Reach, ReservationView, Route, Source, UserOptions,
};
use shared::raw::{RawOptions, RawValue};
use shared::reason::Why;
use shared::server::{EndCause, EndView, PastServer, Phase, ProgressEvent, ServerView, StateView};
use shared::sign_in::{ChallengeKind, ChallengeView};
use shared::units::{Cores, Memory, Minutes};

use crate::json::{Json, Read, put};

/// No such name. Which ones there are nobody reads.
#[derive(Debug)]
struct NoSuchName;

impl fmt::Display for NoSuchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such name")
    }
}

impl std::error::Error for NoSuchName {}

impl Error for NoSuchName {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// A plain name of something, as serde has it.
fn named<T: DeserializeOwned>(json: &Json) -> Option<T> {
    let name: StrDeserializer<'_, NoSuchName> = json.text()?.into_deserializer();
    T::deserialize(name).ok()
}

/// What serde writes as a plain name. The first one stands for nothing.
macro_rules! named {
    ($($name:ident $blank:ident)*) => {
        $(impl Read for $name {
            fn blank() -> Self {
                Self::$blank
            }

            fn read(&mut self, json: &Json) -> bool {
                put(self, named(json))
            }
        })*
    };
}

named! {
    Phase Ended
    ErrorCode Internal
    ChallengeKind Code
    Source Defaults
    Landing Home
}

/// What checks itself when it is made. Something that is right stands for nothing.
macro_rules! checked {
    ($($name:ident $from:ident $blank:literal)*) => {
        $(impl Read for $name {
            fn blank() -> Self {
                let Ok(blank) = Self::new($blank) else { std::process::abort() };
                blank
            }

            fn read(&mut self, json: &Json) -> bool {
                put(self, json.$from().and_then(|value| Self::new(value).ok()))
            }
        })*
    };
}

checked! {
    UserName text "a"
    AccountName text "a"
    InterfaceName text "a"
    ProfileName text "a"
    SlurmName text "a"
    Minutes parse 1
    Cores parse 1
    Memory parse 1
}

/// Field by field, under the names that the fields have.
macro_rules! objects {
    ($($name:ident { $($field:ident)* })*) => {
        $(impl Read for $name {
            fn blank() -> Self {
                Self { $($field: Read::blank(),)* }
            }

            fn read(&mut self, json: &Json) -> bool {
                true $(& json.field(stringify!($field), &mut self.$field))*
            }
        })*
    };
}

objects! {
    ChallengeView { kind message choices state }
    Bilingual { en fr }
    HubView { name url about }
    Links { renew_account cluster_access status documentation support }
    SiteView {
        name cluster version slurm_silent_since maintenance_until links hubs stop_at_logout interfaces gpus help note landing announcements
    }
    InterfaceView { name label about path recommended changeable }
    Note { text link }
    AnnouncementView { text link since }
    UserView { kind name admin groups server pending servers servers_unknown sign_in_seconds }
    ServerView { name ready stopped pending url progress_url started last_activity user_options state }
    StateView {
        phase now job_id node reason why told_at suspended next next_failed submitted_at expected_start_at begins_at
        give_up_at started_at ends_at end slurm_silent_since
    }
    PastServer { asked_at job_id started_at ended_at options end }
    ProgressEvent { progress message ready failed url state }
    UserOptions { account time cores memory gpu reservation partition features interface }
    OptionsView {
        user cluster now accounts terms partitions routes reservations time cores memory gpus features interfaces
        profiles locked nodes nodes_away other_jobs events chosen chosen_from skip_form last_refused ages
    }
    Range { min max default }
    AccountView { name charges }
    Charge { account gpu terms }
    Reach { partition time cores memory memory_per_core gpus gpus_of least_cores least_gpus }
    Route { gpu time_max partitions }
    ReservationView { name starts_at ends_at accounts partition nodes }
    GpuView { name max label memory percent cores job_memory }
    NodeClass { cores memory gpus features partitions nodes idle until free }
    Free { cores memory gpus }
    ProfileView { name label about options }
    Lock { event }
    EventView { name title starts_at ends_at instructor }
    OtherJob { id kind running ends_at }
    Ages { cluster accounts reservations other_jobs }
    BoardView { event people }
    BoardRow { user phase reason why since end }
    ErrorView { status message code fields why details request_id }
    Why { key resource detail hopeless }
}

impl Read for Gpus {
    fn blank() -> Self {
        Self {
            name: String::new(),
            count: 0,
        }
    }

    fn read(&mut self, json: &Json) -> bool {
        put(self, json.text().and_then(|text| Self::try_from(text.to_owned()).ok()))
    }
}

impl Read for RawOptions {
    fn blank() -> Self {
        Self::default()
    }

    fn read(&mut self, json: &Json) -> bool {
        self.0.read(json)
    }
}

impl Read for RawValue {
    fn blank() -> Self {
        Self::Null
    }

    fn read(&mut self, json: &Json) -> bool {
        *self = match json {
            Json::Text(text) => Self::Text(text.clone()),
            Json::Whole(number) => Self::Text(number.to_string()),
            Json::List(_) => json.parse().map_or(Self::Other, Self::List),
            Json::Nothing => Self::Null,
            Json::Truth(_) | Json::Object(_) => Self::Other,
        };
        true
    }
}

impl Read for EndView {
    fn blank() -> Self {
        Self {
            cause: EndCause::Lost,
            why: None,
            was_ready: false,
            cancelled_by: None,
            log: None,
        }
    }

    fn read(&mut self, json: &Json) -> bool {
        put(&mut self.cause, cause(json))
            & json.field("why", &mut self.why)
            & json.field("was_ready", &mut self.was_ready)
            & json.field("cancelled_by", &mut self.cancelled_by)
            & json.field("log", &mut self.log)
    }
}

fn cause(json: &Json) -> Option<EndCause> {
    let word = json.at("cause").text()?;
    Some(match word {
        "gave_up" => EndCause::GaveUp {
            reason: json.at("reason").text().map(str::to_owned),
        },
        "cancelled" => EndCause::Cancelled,
        "refused" => EndCause::Refused {
            message: json.at("message").parse()?,
            code: json.at("code").parse()?,
        },
        "unreachable" => EndCause::Unreachable,
        "lost" => EndCause::Lost,
        "jupyter_missing" => EndCause::JupyterMissing,
        "setup_failed" => EndCause::SetupFailed,
        "module_missing" => EndCause::ModuleMissing,
        "home_missing" => EndCause::HomeMissing,
        "home_full" => EndCause::HomeFull,
        "no_folder" => EndCause::NoFolder,
        "socket_path_too_long" => EndCause::SocketPathTooLong,
        "no_port" => EndCause::NoPort,
        "port_not_told" => EndCause::PortNotTold,
        "jupyter_failed" => EndCause::JupyterFailed {
            exit_code: json.at("exit_code").parse()?,
        },
        "finished" => EndCause::Finished,
        "time_limit" => EndCause::TimeLimit,
        "out_of_memory" => EndCause::OutOfMemory,
        "node_failed" => EndCause::NodeFailed,
        "preempted" => EndCause::Preempted,
        // A cause of a newer server is shown in its own word.
        other => EndCause::Other {
            slurm_state: json.at("slurm_state").text().unwrap_or(other).to_owned(),
        },
    })
}

impl Read for FieldError {
    fn blank() -> Self {
        Self {
            field: String::new(),
            problem: Problem::Malformed,
        }
    }

    fn read(&mut self, json: &Json) -> bool {
        let (mut min, mut max) = (0, 0);
        let amounts = min.read(json.at("min")) & max.read(json.at("max"));
        self.problem = match json.at("code").text().unwrap_or_default() {
            "unknown" => Problem::Unknown,
            "missing" => Problem::Missing,
            "too_small" => Problem::TooSmall { min },
            "too_large" => Problem::TooLarge { max },
            "not_offered" => Problem::NotOffered,
            "locked" => Problem::Locked,
            "not_together" => Problem::NotTogether,
            "no_such_node" => Problem::NoSuchNode { max },
            _ => Problem::Malformed,
        };
        amounts & self.field.read(json.at("field"))
    }
}

#[cfg(test)]
mod tests;
