//! The only file that talks HTTP.

use gloo_net::http::RequestBuilder;
use js_sys::{JSON, Object, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{EventSource, MessageEvent};

pub(crate) use gloo_net::http::Method;

/// A body of texts as JSON; more a page never sends.
pub(crate) fn body<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &name.into(), &value.into()).ok()?;
    }
    JSON::stringify(&object).ok().map(String::from)
}

/// Whether the answer is a success, and its body; nothing where nobody answered.
pub(crate) async fn fetch(method: Method, url: &str, body: Option<String>) -> Option<(bool, String)> {
    let request = RequestBuilder::new(url)
        .method(method)
        .header("Accept", "application/json");
    let request = match body {
        Some(body) => request.header("Content-Type", "application/json").body(body),
        None => request.build(),
    };
    let answer = request.ok()?.send().await.ok()?;
    Some((answer.ok(), answer.text().await.ok()?))
}

/// Events. They come until this is dropped or the server ends them.
pub(crate) struct Events {
    source: EventSource,
    _heard: Closure<dyn FnMut(MessageEvent)>,
}

impl Events {
    /// Follows those of a URL.
    pub(crate) fn follow(url: &str, on_event: impl Fn(&str) + 'static) -> Option<Self> {
        let source = EventSource::new(url).ok()?;
        let heard: Box<dyn FnMut(MessageEvent)> =
            Box::new(move |message| on_event(&message.data().as_string().unwrap_or_default()));
        let heard = Closure::wrap(heard);
        source.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        Some(Self { source, _heard: heard })
    }

    /// They can come now.
    pub(crate) fn is_open(&self) -> bool {
        self.source.ready_state() == EventSource::OPEN
    }

    /// None will come.
    pub(crate) fn is_closed(&self) -> bool {
        self.source.ready_state() == EventSource::CLOSED
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.source.close();
    }
}
