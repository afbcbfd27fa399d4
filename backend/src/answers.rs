//! What a page would ask first, answered in its document: the quickest request is the one that is not made. What is not
//! known at once, the page asks: a document does not wait for Slurm.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use crate::api::{options, site, user};
use crate::app::{App, AppState};
use crate::auth::Session;
use crate::cause::Cause;

/// A document is held up so long, at the most, by looking for what it could bring along.
const PATIENCE: Duration = Duration::from_millis(50);

/// What a page begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// The person's server; where they have none, what they may choose, and the servers that they had.
    Server,
    /// What they may choose.
    Options,
    /// Nothing that is asked often.
    Other,
}

/// Answers of the API as the document carries them, under the names by which the page knows them (`frontend/src/api.rs`).
#[derive(Clone, Debug, Default)]
pub struct Answers {
    list: Vec<(&'static str, String)>,
    has_server: bool,
    is_signed_out: bool,
    now: i64,
}

impl Answers {
    /// To what anybody asks.
    pub fn of_site(app: &App) -> Self {
        let mut answers = Self {
            now: app.clock.now(),
            ..Self::default()
        };
        answers.add("site", &site::view(app));
        answers
    }

    /// To what a browser without a session asks: the document says so, and the page does not have to find out by a
    /// request that is answered 401.
    pub fn of_nobody(app: &App) -> Self {
        Self {
            is_signed_out: true,
            ..Self::of_site(app)
        }
    }

    /// Whether the browser is known to have no session.
    pub fn is_signed_out(&self) -> bool {
        self.is_signed_out
    }

    /// To what somebody who is signed in asks, on a page that begins like this.
    pub async fn of_person(app: &AppState, session: &Session, beginning: Beginning) -> Self {
        let deadline = Instant::now() + PATIENCE;
        let mut answers = Self::of_site(app);
        let (of, who) = (Arc::clone(app), session.clone());
        let view = async move { user::view(&of, &who, true).await };
        let (of, who) = (Arc::clone(app), session.user.clone());
        let offer = async move { options::offer(&of, &who).await };
        let (of, who) = (Arc::clone(app), session.user.clone());
        let history = async move { of.spawner.history(&who).await };

        // The one look beside the other, as they ask different parts of Slurm.
        let view = known_by(deadline, view);
        let mut has_no_server = false;
        let offer = match beginning {
            Beginning::Options => {
                let (view, offer) = tokio::join!(view, known_by(deadline, offer));
                answers.add_if("user", view.as_ref());
                offer
            }
            Beginning::Server => {
                let view = view.await;
                has_no_server = view
                    .as_ref()
                    .is_some_and(|view| !view.servers_unknown && view.servers.values().all(|server| server.stopped));
                answers.add_if("user", view.as_ref());
                answers.add_if("server", view.as_ref());
                answers.has_server = view
                    .as_ref()
                    .is_some_and(|view| view.servers.values().any(|server| server.ready));
                if has_no_server {
                    known_by(deadline, offer).await
                } else {
                    None
                }
            }
            Beginning::Other => {
                answers.add_if("user", view.await.as_ref());
                None
            }
        };
        // A refusal is for the page to hear.
        answers.add_if("options", offer.and_then(Result::ok).as_ref());
        if has_no_server {
            answers.add_if("history", known_by(deadline, history).await.as_ref());
        }
        answers
    }

    /// Whether this question is answered.
    pub fn has(&self, name: &str) -> bool {
        self.list.iter().any(|(of, _)| *of == name)
    }

    /// Whether a page has all that it needs to be drawn with what can be done on it: a form, or the card of a server. Of
    /// other pages what is pressed before they run is not carried out later.
    pub fn are_enough_to_draw(&self) -> bool {
        self.has_server || self.has("options")
    }

    /// All of them, as JSON under their names.
    pub fn list(&self) -> &[(&'static str, String)] {
        &self.list
    }

    /// When they were given, in seconds since 1970.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Elements for the document's head. They are data, which no browser runs.
    pub fn html(&self) -> String {
        let mut html = String::new();
        for (name, json) in &self.list {
            // Nothing in a text ends the element.
            let json = json.replace('<', "\\u003c");
            html.extend([
                "<script type=\"application/json\" id=\"answer-",
                name,
                "\">",
                &json,
                "</script>",
            ]);
        }
        html
    }

    fn add(&mut self, name: &'static str, answer: &impl Serialize) {
        if let Ok(json) = serde_json::to_string(answer) {
            self.list.push((name, json));
        }
    }

    fn add_if(&mut self, name: &'static str, answer: Option<&impl Serialize>) {
        if let Some(answer) = answer {
            self.add(name, answer);
        }
    }
}

/// What is known by then. The look itself is not cut short: who looks for a server may be the one who sees to its end.
async fn known_by<T: Send + 'static>(deadline: Instant, look: impl Future<Output = T> + Send + 'static) -> Option<T> {
    let look = tokio::spawn(Cause::carried(look));
    timeout_at(deadline, look).await.ok()?.ok()
}
