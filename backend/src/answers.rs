//! What a page would ask first, answered in its document: the quickest request is the one that is not made. What is not
//! known at once, the page asks: a document does not wait for Slurm.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::api::{site, user};
use crate::app::{App, AppState};
use crate::auth::SignIn;

/// A document is held up so long, at the most, by looking for a person's server.
const PATIENCE: Duration = Duration::from_millis(50);

/// Answers of the API as the document carries them, under the names by which the page knows them (`document.rs`).
#[derive(Clone, Debug, Default)]
pub struct Answers {
    html: String,
    has_no_server: bool,
}

impl Answers {
    /// To what anybody asks.
    pub fn of_site(app: &App) -> Self {
        let mut answers = Self::default();
        answers.add("site", &site::view(app));
        answers
    }

    /// To what somebody who is signed in asks; also to the question about their server, if the page begins with that.
    pub async fn of_person(app: &AppState, sign_in: &SignIn, begins_with_server: bool) -> Self {
        let mut answers = Self::of_site(app);
        let (of, who) = (Arc::clone(app), sign_in.clone());
        // Not cut short: who looks for a server may be the one who sees to its end.
        let view = tokio::spawn(async move { user::view(&of, &who, true).await });
        if let Ok(Ok(view)) = tokio::time::timeout(PATIENCE, view).await {
            answers.add("user", &view);
            if begins_with_server {
                answers.add("server", &view);
            }
            answers.has_no_server = !view.servers_unknown && view.servers.values().all(|server| server.stopped);
        }
        answers
    }

    /// Whether it is said that the person has no server now.
    pub fn says_no_server(&self) -> bool {
        self.has_no_server
    }

    /// Elements for the document's head. They are data, which no browser runs.
    pub fn html(&self) -> &str {
        &self.html
    }

    fn add(&mut self, name: &str, answer: &impl Serialize) {
        if let Ok(json) = serde_json::to_string(answer) {
            // Nothing in a text ends the element.
            let json = json.replace('<', "\\u003c");
            self.html += "<script type=\"application/json\" id=\"answer-";
            self.html.extend([name, "\">", &json, "</script>"]);
        }
    }
}
