//! The frame's lower part: documentation, the state of the site's services, support, version.

use leptos::prelude::*;
use shared::api::{Bilingual, Links};

use crate::built::{Built, IntoBuilt, maybe};
use crate::element::el;
use crate::site::Site;
use crate::text::{Word, Words};

type Entry = (fn(&Links) -> &Option<Bilingual>, Word);

/// The footer.
#[component]
pub(crate) fn Footer() -> Built {
    let (words, site) = (Words::get(), Site::get());
    let entries: [Entry; 3] = [
        (|links| &links.documentation, Word::Documentation),
        (|links| &links.status, Word::StatusPage),
        (|links| &links.support, Word::Support),
    ];
    let links = entries.into_iter().map(|(which, name)| {
        maybe(move || {
            let url = site.link(which, words.locale())?;
            let link = el("a").attr("href", &url).attr("rel", "external").says(words.say(name));
            Some(el("li").child(link).built())
        })
    });
    let version = maybe(move || {
        let version = site.with(|site| site.version.clone());
        (!version.is_empty()).then(|| el("li").text("Slipway ").text(&version).built())
    });
    let list = el("ul").class("footer__list").children(links).child(version);
    el("footer").class("footer").child(list).built()
}
