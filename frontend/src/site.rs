//! What everybody may know of the site, and whether its cluster can be reached.

use std::collections::BTreeMap;

use leptos::prelude::*;
use shared::api::{Bilingual, Landing, Links, SiteView};
use shared::names::InterfaceName;
use shared::options::UserOptions;

use crate::api::{self, Failure};
use crate::carried::Carried;
use crate::clock;
use crate::task::spawn;
use crate::text::{Locale, Named, Words};

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
    pub(crate) fn provide(carried: &Carried) {
        let site = Self {
            view: RwSignal::new(SiteView {
                name: carried.site.clone(),
                cluster: carried.cluster.clone(),
                version: String::new(),
                slurm_silent_since: None,
                maintenance_until: None,
                links: Links::default(),
                hubs: Vec::new(),
                stop_at_logout: false,
                interfaces: Vec::new(),
                gpus: BTreeMap::new(),
                help: BTreeMap::new(),
                note: None,
                landing: Landing::default(),
                announcements: Vec::new(),
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
            let link = which(&view.links).as_ref();
            link.map(|link| locale.of(link).to_owned())
        })
    }

    /// What the site wants said at this field, or nothing; follows the language and what the site says.
    pub(crate) fn help(self, words: Words, field: &str) -> String {
        self.view.with(|view| {
            let help = view.help.get(field);
            help.map_or_else(String::new, |help| words.locale().of(help).to_owned())
        })
    }

    /// What an interface is called; follows the language and what the site says.
    pub(crate) fn interface(self, words: Words, name: &InterfaceName) -> String {
        self.view.with(|view| {
            let interface = view.interfaces.iter().find(|interface| interface.name == *name);
            interface.map_or_else(|| name.to_string(), |found| words.locale().of(&found.label).to_owned())
        })
    }

    /// The path below a server that opens an interface; follows what the site says.
    pub(crate) fn path(self, name: &InterfaceName) -> Option<String> {
        self.view.with(|view| {
            let interface = view.interfaces.iter().find(|interface| interface.name == *name)?;
            Some(interface.path.clone())
        })
    }

    /// What an interface is for, and whether the site recommends it; follows the language and what the site says.
    pub(crate) fn about(self, words: Words, name: &InterfaceName) -> (String, bool) {
        self.view.with(|view| {
            let interface = view.interfaces.iter().find(|interface| interface.name == *name);
            interface.map_or_else(Default::default, |found| {
                (words.locale().of(&found.about).to_owned(), found.recommended)
            })
        })
    }

    /// What a type of GPU is called; follows the language and what the site says.
    pub(crate) fn gpu(self, words: Words, name: &str) -> String {
        self.view.with(|view| {
            let label = view.gpus.get(name);
            label.map_or_else(|| name.to_owned(), |label| words.locale().of(label).to_owned())
        })
    }

    /// What was or will be asked for, as one sentence, with its end (seconds since 1970) if that is known; follows
    /// the language and what the site says.
    pub(crate) fn request(self, words: Words, options: &UserOptions, until: Option<i64>) -> String {
        let named = Named {
            interface: &self.interface(words, &options.interface),
            gpu: &options
                .gpu
                .as_ref()
                .map_or_else(String::new, |gpu| self.gpu(words, &gpu.name)),
        };
        let until = until.map(clock::when);
        words.text().request(options, &named, until.as_ref())
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
