//! The document that loads the page, with what can be seen and done before it runs.

use axum::response::{IntoResponse, Response};
use frontend::Draft;
use http::{HeaderValue, StatusCode, header};
use shared::sign_in::{ChallengeKind, ChallengeView};

use super::Assets;
use crate::answers::Answers;
use crate::look::{Language, Look};

/// What stands in a document.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// That the page is about to come.
    Nothing,
    /// What the page will draw, as HTML.
    Draft(&'a str),
    /// To log in.
    Login(&'a LoginForm),
    /// One thing more that logging in asks for, and where to go afterwards.
    Challenge(&'a ChallengeView, &'a str),
}

/// What the form to log in starts with.
#[derive(Clone, Debug, Default)]
pub struct LoginForm {
    /// The name that was typed.
    pub username: String,
    /// Where to go afterwards.
    pub next: String,
    /// What went wrong, and what the source of accounts said about it.
    pub error: Option<(LoginProblem, String)>,
}

/// What went wrong with a form sent without scripts.
#[derive(Clone, Copy, Debug)]
pub enum LoginProblem {
    /// Wrong name or password.
    Wrong,
    /// Too many tries; after so many seconds there may be one more.
    Throttled(i64),
    /// Not active.
    Inactive,
    /// The password has to be changed first.
    PasswordExpired,
    /// The name reads as a number.
    NumericName,
    /// The account is one of the system's.
    SystemAccount,
    /// It took too long.
    Over,
    /// Anything else.
    Unavailable,
}

impl Assets {
    /// The document of the page, in the person's language and colours, with this in it and with answers to what it would
    /// ask first.
    pub fn document(&self, status: StatusCode, look: &Look, content: Content<'_>, answers: &Answers) -> Response {
        let language = look.language;
        // Only who is not signed in is shown a form.
        let is_form = matches!(content, Content::Login(_) | Content::Challenge(..));
        let template = if is_form { &self.first_template } else { &self.template };
        let mut html = template.clone();
        keep_one(&mut html, "lang", language.tag(), &["en", "fr"]);
        let nothing = (LoginForm::default(), ChallengeView::default());
        let (page, login, challenge, next) = match content {
            Content::Login(login) => ("login", login, &nothing.1, login.next.as_str()),
            Content::Challenge(challenge, next) => ("challenge", &nothing.0, challenge, next),
            Content::Draft(_) | Content::Nothing => ("other", &nothing.0, &nothing.1, ""),
        };
        let draft = if let Content::Draft(draft) = content { draft } else { "" };
        keep_one(
            &mut html,
            "drawn",
            if draft.is_empty() { "here" } else { "before" },
            &["here", "before"],
        );
        keep_one(&mut html, "page", page, &["login", "challenge", "other"]);
        // What a form without scripts asks, a form without scripts goes on asking.
        keep_one(
            &mut html,
            "scripts",
            if page == "challenge" { "" } else { "on" },
            &["on"],
        );
        keep_one(
            &mut html,
            "ask",
            ask(challenge.kind),
            &["code", "secret", "choice", "wait"],
        );
        keep_one(
            &mut html,
            "login",
            if login.error.is_some() { "error" } else { "" },
            &["error"],
        );
        let problem = login.error.as_ref().map_or_else(String::new, |(problem, said)| {
            format!("{} {said}", problem.text(language)).trim_end().to_owned()
        });
        // After an error the name stands there, and the password is what is typed next.
        let focus = |here: bool| if here { "autofocus" } else { "" };
        let is_named = login.error.is_some();
        for (name, value) in [
            ("focus_username", focus(!is_named)),
            ("focus_password", focus(is_named)),
            ("lang", language.tag()),
            ("base", &self.base),
            ("theme", look.theme),
            ("title", &format!("{} · {}", self.site, self.cluster)),
            ("logo", &self.logo),
            ("username_help", self.help("username", language)),
            ("password_help", self.help("password", language)),
            // The page does not have to ask.
            ("signed_in", if is_form || answers.is_signed_out() { "no" } else { "" }),
            ("draft", if draft.is_empty() { "" } else { "yes" }),
            ("username", &login.username),
            ("next", next),
            ("error", &problem),
            ("message", &challenge.message),
            ("state", &challenge.state),
        ] {
            html = html.replace(&format!("{{{{{name}}}}}"), &escape(value));
        }
        // Escaped as well, but of many.
        let options = challenge
            .choices
            .iter()
            .map(|choice| format!("<option>{}</option>", escape(choice)));
        html = html.replace("<option></option>", &options.collect::<String>());
        if draft.is_empty() {
            let page = Draft {
                now: answers.now(),
                answers: answers.list(),
                ..Draft::default()
            };
            let head = self.draft(page, look).head();
            html = html.replacen("<!--head-->", &head, 1);
        }
        html = html.replacen("<!--draft-->", draft, 1);
        html = html.replacen("<!--answers-->", &answers.html(), 1);
        let mut response = (status, html).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::VARY, HeaderValue::from_static("cookie, accept-language"));
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        response
    }
}

impl Assets {
    fn help(&self, field: &str, language: Language) -> &str {
        self.help
            .get(field)
            .map_or("", |help| language.pick(&help.en, &help.fr))
    }
}

impl LoginProblem {
    /// What the page says (`frontend/src/text`), for a browser without scripts.
    fn text(self, language: Language) -> String {
        let text = match self {
            Self::Wrong => language.pick(
                "The username, the password or the code is wrong. Try again.",
                "Le nom d’utilisateur, le mot de passe ou le code est inexact. Réessayez.",
            ),
            Self::Throttled(_) => language.pick(
                "Too many attempts. Try again in {seconds}\u{a0}s.",
                "Trop de tentatives. Réessayez dans {seconds}\u{a0}s.",
            ),
            Self::Inactive => language.pick("Your account is not active.", "Votre compte n’est pas actif."),
            Self::PasswordExpired => language.pick(
                "Your password has expired. Change it first, then log in with the new one.",
                "Votre mot de passe a expiré. Changez-le d’abord, puis connectez-vous avec le nouveau.",
            ),
            Self::NumericName => language.pick(
                "This username is a number, and the cluster could take it for another person’s. Ask support for another username.",
                "Ce nom d’utilisateur est un nombre, et la grappe pourrait le prendre pour celui d’une autre personne. Demandez-en un autre au soutien technique.",
            ),
            Self::SystemAccount => language.pick(
                "This is an account of the system, not of a person. Log in with your own account.",
                "C’est un compte du système, et non d’une personne. Connectez-vous avec votre propre compte.",
            ),
            Self::Over => language.pick(
                "That took too long, or was cancelled. Log in again.",
                "Le délai est dépassé, ou vous avez annulé. Reconnectez-vous.",
            ),
            Self::Unavailable => language.pick(
                "Logging in is not possible at the moment. Try again in a minute.",
                "La connexion est impossible pour le moment. Réessayez dans une minute.",
            ),
        };
        match self {
            Self::Throttled(seconds) => text.replace("{seconds}", &seconds.to_string()),
            _ => text.to_owned(),
        }
    }
}

fn ask(kind: ChallengeKind) -> &'static str {
    match kind {
        ChallengeKind::Code => "code",
        ChallengeKind::Secret => "secret",
        ChallengeKind::Choice => "choice",
        ChallengeKind::Wait => "wait",
    }
}

/// Removes `<!--kind:x-->…<!--/kind:x-->` for every x but the one to keep, of which only the marks go.
fn keep_one(html: &mut String, kind: &str, keep: &str, all: &[&str]) {
    for name in all {
        let (open, close) = (format!("<!--{kind}:{name}-->"), format!("<!--/{kind}:{name}-->"));
        while let Some(start) = html.find(&open) {
            let Some(end) = html[start..].find(&close).map(|end| start + end) else {
                break;
            };
            let inner = if *name == keep {
                html[start + open.len()..end].to_owned()
            } else {
                String::new()
            };
            html.replace_range(start..end + close.len(), &inner);
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_language_and_one_page_are_kept() {
        let mut html =
            "a<!--lang:en-->E<!--/lang:en--><!--lang:fr-->F<!--/lang:fr-->b<!--lang:en-->E2<!--/lang:en-->".to_owned();
        keep_one(&mut html, "lang", "en", &["en", "fr"]);
        assert_eq!(html, "aEbE2");
    }
}
