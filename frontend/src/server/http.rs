//! Nobody is asked while a page is drawn: what is not answered yet is left to the browser.

use std::future::pending;

pub(crate) use gloo_net::http::Method;

/// A body that is not sent.
pub(crate) fn body<'a>(_fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<String> {
    None
}

/// Never answered.
pub(crate) async fn fetch(_method: Method, _url: &str, _body: Option<String>) -> Option<(bool, String)> {
    pending().await
}

/// Events, which nobody follows.
pub(crate) enum Events {}

impl Events {
    /// None.
    pub(crate) fn follow(_url: &str, _on_event: impl Fn(&str) + 'static) -> Option<Self> {
        None
    }

    pub(crate) fn is_open(&self) -> bool {
        match *self {}
    }

    pub(crate) fn is_closed(&self) -> bool {
        match *self {}
    }
}
