//! `[site]`

use serde::Deserialize;
use shared::api::{HubView, Links};

use super::Wrong;

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
        let addresses = all.into_iter().flatten().flat_map(|link| [&link.en, &link.fr]);
        let odd = addresses
            .chain(self.hubs.iter().map(|hub| &hub.url))
            .find(|url| !is_link(url));
        match odd {
            Some(url) => Err(("site.links", format!("{url:?} is not an https:// or http:// address"))),
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
