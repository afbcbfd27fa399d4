//! The API's answers, read from JSON into the types that the server wrote them from.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, Error, IntoDeserializer};
use shared::api::{Bilingual, ErrorCode, ErrorView, HubView, Links, SiteView, UserView};
use shared::names::{AccountName, UserName};
use shared::options::{
    AccountView, FieldError, GpuView, Gpus, Interface, NodeClass, OptionsView, Problem, Range, UserOptions,
};
use shared::server::{EndCause, EndView, Phase, ProgressEvent, ServerView, StateView};
use shared::sign_in::{ChallengeKind, ChallengeView};
use shared::units::{Cores, Memory, Minutes};

use crate::json::{Json, Read};

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

impl Read for Phase {
    fn read(json: &Json) -> Option<Self> {
        named(json)
    }
}

impl Read for Interface {
    fn read(json: &Json) -> Option<Self> {
        named(json)
    }
}

impl Read for ErrorCode {
    fn read(json: &Json) -> Option<Self> {
        named(json)
    }
}

impl Read for ChallengeKind {
    fn read(json: &Json) -> Option<Self> {
        named(json)
    }
}

impl Read for ChallengeView {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            kind: json.get("kind")?,
            message: json.get("message")?,
            choices: json.get("choices").unwrap_or_default(),
            state: json.get("state")?,
        })
    }
}

impl Read for UserName {
    fn read(json: &Json) -> Option<Self> {
        Self::new(json.text()?).ok()
    }
}

impl Read for AccountName {
    fn read(json: &Json) -> Option<Self> {
        Self::new(json.text()?).ok()
    }
}

impl Read for Gpus {
    fn read(json: &Json) -> Option<Self> {
        Self::try_from(String::read(json)?).ok()
    }
}

impl Read for Bilingual {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            en: json.get("en")?,
            fr: json.get("fr")?,
        })
    }
}

impl Read for HubView {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            name: json.get("name")?,
            url: json.get("url")?,
            about: json.get("about").unwrap_or_default(),
        })
    }
}

impl Read for SiteView {
    fn read(json: &Json) -> Option<Self> {
        let links = json.at("links");
        Some(Self {
            name: json.get("name")?,
            cluster: json.get("cluster")?,
            version: json.get("version")?,
            slurm_silent_since: json.get("slurm_silent_since")?,
            links: Links {
                renew_account: links.get("renew_account")?,
                cluster_access: links.get("cluster_access")?,
                status: links.get("status")?,
                documentation: links.get("documentation")?,
                support: links.get("support")?,
            },
            hubs: json.get("hubs")?,
            stop_at_logout: json.get("stop_at_logout")?,
        })
    }
}

impl Read for UserView {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            kind: json.get("kind")?,
            name: json.get("name")?,
            admin: json.get("admin")?,
            groups: json.get("groups")?,
            server: json.get("server")?,
            pending: json.get("pending")?,
            servers: json.get("servers")?,
            servers_unknown: json.get("servers_unknown").unwrap_or_default(),
            sign_in_seconds: json.get("sign_in_seconds")?,
        })
    }
}

impl Read for ServerView {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            name: json.get("name")?,
            ready: json.get("ready")?,
            stopped: json.get("stopped")?,
            pending: json.get("pending")?,
            url: json.get("url")?,
            progress_url: json.get("progress_url")?,
            started: json.get("started")?,
            last_activity: json.get("last_activity")?,
            user_options: json.get("user_options")?,
            state: json.get("state")?,
        })
    }
}

impl Read for StateView {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            phase: json.get("phase")?,
            now: json.get("now")?,
            job_id: json.get("job_id")?,
            node: json.get("node")?,
            reason: json.get("reason")?,
            told_at: json.get("told_at")?,
            suspended: json.get("suspended").unwrap_or_default(),
            submitted_at: json.get("submitted_at")?,
            expected_start_at: json.get("expected_start_at")?,
            give_up_at: json.get("give_up_at")?,
            started_at: json.get("started_at")?,
            ends_at: json.get("ends_at")?,
            end: json.get("end")?,
            slurm_silent_since: json.get("slurm_silent_since")?,
        })
    }
}

impl Read for EndView {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            cause: json.get_cause()?,
            was_ready: json.get("was_ready")?,
            log: json.get("log")?,
        })
    }
}

impl Json {
    fn get_cause(&self) -> Option<EndCause> {
        let word = self.at("cause").text()?;
        Some(match word {
            "gave_up" => EndCause::GaveUp {
                reason: self.get("reason")?,
            },
            "cancelled" => EndCause::Cancelled,
            "refused" => EndCause::Refused {
                message: self.get("message")?,
                code: self.get("code")?,
            },
            "unreachable" => EndCause::Unreachable,
            "lost" => EndCause::Lost,
            "jupyter_missing" => EndCause::JupyterMissing,
            "setup_failed" => EndCause::SetupFailed,
            "no_port" => EndCause::NoPort,
            "port_not_told" => EndCause::PortNotTold,
            "jupyter_failed" => EndCause::JupyterFailed {
                exit_code: self.get("exit_code")?,
            },
            "finished" => EndCause::Finished,
            "time_limit" => EndCause::TimeLimit,
            "out_of_memory" => EndCause::OutOfMemory,
            "node_failed" => EndCause::NodeFailed,
            "preempted" => EndCause::Preempted,
            // A cause of a newer server is shown in its own word.
            other => EndCause::Other {
                slurm_state: self.get("slurm_state").unwrap_or_else(|| other.to_owned()),
            },
        })
    }
}

impl Read for ProgressEvent {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            progress: json.get::<u32>("progress")?.try_into().ok()?,
            message: json.get("message")?,
            ready: json.get("ready")?,
            failed: json.get("failed")?,
            url: json.get("url")?,
            state: json.get("state")?,
        })
    }
}

impl Read for Range {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            min: json.get("min")?,
            max: json.get("max")?,
            default: json.get("default")?,
        })
    }
}

impl Read for AccountView {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            name: json.get("name")?,
            time_max: json.get("time_max")?,
        })
    }
}

impl Read for GpuView {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            name: json.get("name")?,
            max: json.get("max")?,
        })
    }
}

impl Read for NodeClass {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            cores: json.get("cores")?,
            memory: json.get("memory")?,
            gpus: json.get("gpus")?,
            nodes: json.get("nodes")?,
        })
    }
}

impl Read for UserOptions {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            account: json.get("account")?,
            time: Minutes::new(json.get("time")?).ok()?,
            cores: Cores::new(json.get("cores")?).ok()?,
            memory: Memory::new(json.get("memory")?).ok()?,
            gpu: json.get("gpu")?,
            interface: json.get("interface")?,
        })
    }
}

impl Read for OptionsView {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            user: json.get("user")?,
            cluster: json.get("cluster")?,
            accounts: json.get("accounts")?,
            time: json.get("time")?,
            cores: json.get("cores")?,
            memory: json.get("memory")?,
            gpus: json.get("gpus")?,
            interfaces: json.get("interfaces")?,
            nodes: json.get("nodes")?,
            chosen: json.get("chosen")?,
            age_seconds: json.get("age_seconds")?,
        })
    }
}

impl Read for FieldError {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            field: json.get("field")?,
            problem: match json.at("code").text()? {
                "unknown" => Problem::Unknown,
                "missing" => Problem::Missing,
                "too_small" => Problem::TooSmall { min: json.get("min")? },
                "too_large" => Problem::TooLarge { max: json.get("max")? },
                "not_offered" => Problem::NotOffered,
                "no_such_node" => Problem::NoSuchNode { max: json.get("max")? },
                _ => Problem::Malformed,
            },
        })
    }
}

impl Read for ErrorView {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            status: json.get::<u32>("status")?.try_into().ok()?,
            message: json.get("message")?,
            code: json.get("code")?,
            fields: json.get("fields")?,
            details: json.get("details")?,
            request_id: json.get("request_id").unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests;
