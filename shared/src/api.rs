//! Requests and answers of the API that are not about options or a server alone.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::names::{InterfaceName, UserName};
use crate::options::{EventView, FieldError};
use crate::reason::Why;
use crate::server::{EndView, Phase, ServerView};

/// Who is signed in, as JupyterHub shows a user: `GET /hub/api/user` and `/hub/api/users/{name}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserView {
    /// Always `user`.
    pub kind: String,
    /// The name.
    pub name: UserName,
    /// Administration is a later part.
    pub admin: bool,
    /// Groups are a later part.
    pub groups: Vec<String>,
    /// The path of the server, when it is ready.
    pub server: Option<String>,
    /// `spawn` or `stop` while one of these is under way.
    pub pending: Option<String>,
    /// The server by its name (`""`), when there is one; with `?include_stopped_servers` also the last
    /// one that ended.
    pub servers: BTreeMap<String, ServerView>,
    /// Slurm has not said yet whether there is a server: there may be one that is not listed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub servers_unknown: bool,
    /// In how many seconds the sign-in ends: a moment would be one of the server's clock, and browsers have their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in_seconds: Option<i64>,
}

/// Another hub that the site lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubView {
    /// Its name.
    pub name: Bilingual,
    /// Its address.
    pub url: Bilingual,
    /// What it gives access to.
    #[serde(default)]
    pub about: Bilingual,
}

/// A text, or an address, in each language. Where it is the same in both, one string stands for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bilingual {
    /// In English.
    pub en: String,
    /// In French.
    pub fr: String,
}

impl<'de> Deserialize<'de> for Bilingual {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Each {
            en: String,
            fr: String,
        }
        struct OneOrEach;
        impl<'de> Visitor<'de> for OneOrEach {
            type Value = Bilingual;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or one in each language: { en = \"…\", fr = \"…\" }")
            }

            fn visit_str<E>(self, text: &str) -> Result<Bilingual, E> {
                Ok(Bilingual {
                    en: text.to_owned(),
                    fr: text.to_owned(),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Bilingual, A::Error> {
                let Each { en, fr } = Each::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Bilingual { en, fr })
            }
        }
        deserializer.deserialize_any(OneOrEach)
    }
}

/// Where the site sends people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Links {
    /// Renewing an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_account: Option<Bilingual>,
    /// Enabling access to the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_access: Option<Bilingual>,
    /// The state of the site's services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Bilingual>,
    /// Documentation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation: Option<Bilingual>,
    /// Support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support: Option<Bilingual>,
}

/// What everybody may know: `GET /hub/api/site`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteView {
    /// The site's name.
    pub name: String,
    /// The cluster's name.
    pub cluster: String,
    /// Slipway's version.
    pub version: String,
    /// Slurm has not answered since then (seconds since 1970).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slurm_silent_since: Option<i64>,
    /// Until when a maintenance has all of the cluster's nodes, if one has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_until: Option<i64>,
    /// Where the site sends people.
    pub links: Links,
    /// Other hubs.
    pub hubs: Vec<HubView>,
    /// Whether the question at logging out proposes to stop the server as well.
    #[serde(default)]
    pub stop_at_logout: bool,
    /// Every interface that there is here, also those that not everybody may choose.
    #[serde(default)]
    pub interfaces: Vec<InterfaceView>,
    /// What the site calls types of GPU.
    #[serde(default)]
    pub gpus: BTreeMap<String, Bilingual>,
    /// What the site wants said at a field, by the field's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub help: BTreeMap<String, Bilingual>,
    /// What the site wants said beside the options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// Where people get to who have just logged in.
    #[serde(default)]
    pub landing: Landing,
    /// What the site announces now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub announcements: Vec<AnnouncementView>,
}

/// Something that a server can be opened with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceView {
    /// Its name in the API and in links.
    pub name: InterfaceName,
    /// Its name for people.
    pub label: Bilingual,
    /// What it is for, in a sentence.
    pub about: Bilingual,
    /// The path below `/user/<name>/` that opens it.
    pub path: String,
    /// The site recommends it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recommended: bool,
    /// A running server can change to it, and from it to others, without a new job.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changeable: bool,
}

/// A sentence of the site's, and where to read more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The sentence.
    pub text: Bilingual,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Bilingual>,
}

/// What the site tells everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncementView {
    /// The text.
    pub text: Bilingual,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Bilingual>,
    /// Since when it is told, in seconds since 1970, where the site has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
}

/// Where people get to who have just logged in, unless they were on their way somewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Landing {
    /// The card of their server, or a start with the last choices.
    #[default]
    Home,
    /// Their server, if it runs; else the form.
    Form,
    /// Their server, if it runs; else a new one with what the form would propose.
    Start,
}

/// How the people of an event are doing, for its instructors: `GET /hub/api/events/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardView {
    /// The event.
    pub event: EventView,
    /// Everybody who has started a server since it began, or has one; by name.
    pub people: Vec<BoardRow>,
}

/// How one of them is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardRow {
    /// Who.
    pub user: UserName,
    /// Where their server is in its life.
    pub phase: Phase,
    /// Slurm's reason for the wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What that means, where the text does not speak to the person themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// Since when it has been on its way or running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<EndView>,
}

/// A session of the user's own: `GET /hub/api/users/{name}/sessions`. Times are in RFC 3339, as in JupyterHub's models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Names it in `DELETE /hub/api/users/{name}/sessions/{id}`.
    pub id: String,
    /// When the user signed in.
    pub created: Option<String>,
    /// When it was last used, to the minute.
    pub last_activity: Option<String>,
    /// When it ends whatever happens.
    pub expires_at: Option<String>,
    /// The address that the user signed in from, where it is known.
    pub address: Option<String>,
    /// The browser, as its `User-Agent` header says, shortened.
    pub user_agent: Option<String>,
    /// Whether it is the session of this request.
    pub current: bool,
}

/// The kinds of failure that a client may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is not one: bad JSON, unknown fields, wrong content type, too large.
    BadRequest,
    /// Nobody is signed in.
    NotSignedIn,
    /// Wrong name or password.
    WrongPassword,
    /// Too many wrong passwords; `details.retry_after` says for how many seconds.
    Throttled,
    /// The sign-in took too long, or was cancelled: it begins anew.
    SignInOver,
    /// The password is right and has expired; `details.said` has the site's own words, if it said any.
    PasswordExpired,
    /// The account is not active.
    Inactive,
    /// The name reads as a number, and Slurm could take it for the uid of another user.
    NumericName,
    /// The account is one of the system's, not a person's.
    SystemAccount,
    /// The source of accounts does not answer, or has no room.
    SignInUnavailable,
    /// Signed out here, and it could not be stored; `details.until` says in seconds since 1970 until when copies of the
    /// session's cookies may be accepted elsewhere.
    SignOutNotStored,
    /// No association in Slurm: there is no compute account to charge.
    NoAssociation,
    /// Signed in, but this is somebody else's.
    Forbidden,
    /// The request came from another site.
    CrossSite,
    /// The request was for another host name than the service's; `details.address` says which that is.
    WrongHost,
    /// There is no such thing.
    NotFound,
    /// Options that cannot be; `fields` says which and why.
    Options,
    /// Slurm refused; `details.slurm` has its words.
    Refused,
    /// A server is already running, or being stopped.
    Conflict,
    /// The server is not running.
    NotRunning,
    /// The server's job runs, but Jupyter does not answer.
    NotAnswering,
    /// Jupyter's answer cannot be passed on: headers that are too large, or a protocol that was not asked for.
    InvalidAnswer,
    /// As many requests and tunnels to this server are open as may be.
    TooManyConnections,
    /// Too many starts; `details.retry_after` says for how many seconds.
    TooManyStarts,
    /// Too many changes; `details.retry_after` says for how many seconds.
    TooManyChanges,
    /// As many event streams and waiting requests of this session are open as may be: ask without waiting.
    TooManyStreams,
    /// Slurm cannot be reached.
    SlurmUnreachable,
    /// A defect or a wrong configuration; the log knows more under this request id.
    Internal,
}

/// Every error of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorView {
    /// The HTTP status again.
    pub status: u16,
    /// One sentence in English.
    pub message: String,
    /// For programs, and for the page's own words.
    pub code: ErrorCode,
    /// What is wrong with which option.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
    /// What a refusal of Slurm's means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// What else is known, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
    /// To find it in the server's log.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
}

/// `GET /hub/api/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionView {
    /// Slipway's version.
    pub version: String,
}
