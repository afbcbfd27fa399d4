//! What everybody may know of the site, and whether its cluster can be reached.

use leptos::prelude::*;
use shared::api::{Bilingual, Links, SiteView};

use crate::api::{self, Failure};
use crate::clock;
use crate::document::Carried;
use crate::task::spawn;
use crate::text::Locale;

/// How often the state is read again while somebody looks, in seconds.
const REFRESH: u64 = 30;

/// Whether the cluster can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Not known yet.
    Unknown,
    /// Slurm answers.
    Online,
    /// Slurm has not answered since then.
    Silent(i64),
    /// Slipway does not answer.
    NoConnection,
    /// Slipway has never answered, or something else did.
    NoServer,
}

/// What is known of the site.
#[derive(Clone, Copy)]
pub(crate) struct Site {
    view: RwSignal<SiteView>,
    /// Whether the cluster can be reached.
    pub(crate) reach: RwSignal<Reach>,
}

impl Site {
    /// Made once, with what the document said; then read, and read again while the page is visible.
    pub(crate) fn provide(carried: &Carried) -> Self {
        let site = Self {
            view: RwSignal::new(SiteView {
                name: carried.site.clone(),
                cluster: carried.cluster.clone(),
                version: String::new(),
                slurm_silent_since: None,
                links: Links::default(),
                hubs: Vec::new(),
                stop_at_logout: false,
            }),
            reach: RwSignal::new(Reach::Unknown),
        };
        provide_context(site);
        site.read();
        clock::every(REFRESH, move || {
            if !document().hidden() {
                site.read();
            }
        });
        site
    }

    /// The one of this page.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// Something of what is known; follows changes.
    pub(crate) fn with<T>(self, part: impl FnOnce(&SiteView) -> T) -> T {
        self.view.with(part)
    }

    /// One of the site's links in this language; follows changes.
    pub(crate) fn link(self, which: fn(&Links) -> &Option<Bilingual>, locale: Locale) -> Option<String> {
        self.view.with(|view| {
            which(&view.links).as_ref().map(|link| match locale {
                Locale::En => link.en.clone(),
                Locale::Fr => link.fr.clone(),
            })
        })
    }

    /// Reads it again.
    pub(crate) fn read(self) {
        spawn(async move {
            let answer = api::site().await;
            let first = matches!(self.reach.get_untracked(), Reach::Unknown | Reach::NoServer);
            let reach = match &answer {
                Ok(view) => view.slurm_silent_since.map_or(Reach::Online, Reach::Silent),
                Err(Failure::NoServer | Failure::NotUnderstood) if first => Reach::NoServer,
                Err(_) => Reach::NoConnection,
            };
            if let Ok(view) = answer
                && self.view.with_untracked(|before| *before != view)
            {
                self.view.set(view);
            }
            if self.reach.get_untracked() != reach {
                self.reach.set(reach);
            }
        });
    }
}
