//! `[site]`

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use shared::api::{Bilingual, HubView, Links};
use shared::options::NAMES;

use super::{Wrong, amount};

/// The fields to log in.
const FIELDS: [&str; 2] = ["username", "password"];

/// What people read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The site's name.
    pub name: String,
    /// The cluster's name, as people say it.
    pub cluster: String,
    /// Where the site sends people.
    #[serde(default)]
    pub links: Links,
    /// Other hubs.
    #[serde(default)]
    pub hubs: Vec<HubView>,
    /// What people are told at a field, by its name: one of [`FIELDS`] or of [`NAMES`].
    #[serde(default)]
    pub help: BTreeMap<String, Bilingual>,
    /// The site's logo, SVG or PNG, beside its name.
    pub logo: Option<PathBuf>,
    /// What everybody is told on every page.
    #[serde(default)]
    pub announcements: Vec<Announcement>,
}

/// Something that everybody is told, for a while.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// The text.
    pub text: Bilingual,
    /// Where to read more.
    pub link: Option<Bilingual>,
    /// From when on.
    #[serde(default, deserialize_with = "amount::moment_if_any")]
    pub from: Option<i64>,
    /// Until when.
    #[serde(default, deserialize_with = "amount::moment_if_any")]
    pub until: Option<i64>,
}

impl Announcement {
    /// Whether it is to be told at this time, in seconds since 1970.
    pub fn is_due(&self, now: i64) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}

impl Site {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        let links = &self.links;
        let all = [
            &links.renew_account,
            &links.cluster_access,
            &links.status,
            &links.documentation,
            &links.support,
        ];
        let more = self.announcements.iter().filter_map(|told| told.link.as_ref());
        let over = |told: &&Announcement| told.from.zip(told.until).is_some_and(|(from, until)| until <= from);
        if let Some(told) = self.announcements.iter().find(over) {
            let message = format!("{:?} ends before it begins", told.text.en);
            return Err(("site.announcements", message));
        }
        let is_field = |name: &&String| FIELDS.iter().chain(&NAMES).any(|field| field == name);
        if let Some(name) = self.help.keys().find(|name| !is_field(name)) {
            let fields: Vec<_> = FIELDS.iter().chain(&NAMES).copied().collect();
            let message = format!("there is no field {name:?}: it can be {}", fields.join(", "));
            return Err(("site.help", message));
        }
        let addresses = all.into_iter().flatten().flat_map(|link| [&link.en, &link.fr]);
        let odd = addresses
            .chain(self.hubs.iter().flat_map(|hub| [&hub.url.en, &hub.url.fr]))
            .chain(more.flat_map(|link| [&link.en, &link.fr]))
            .find(|url| !is_link(url));
        match odd {
            Some(url) => Err(("site", format!("{url:?} is not an https:// or http:// address"))),
            None if self.name.trim().is_empty() => Err(("site.name", "is empty".into())),
            None if self.cluster.trim().is_empty() => Err(("site.cluster", "is empty".into())),
            None => Ok(()),
        }
    }
}

/// A page must never be sent to `javascript:`.
fn is_link(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://") || url.starts_with("mailto:")
}
