//! The page: Trunk's output, kept in memory with its compressed forms, and the document that loads it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use aws_lc_rs::digest;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use shared::sign_in::{ChallengeKind, ChallengeView};

use crate::answers::Answers;
use crate::config::Config;
use crate::look::{Language, Look};

/// A form in the document, which works before and without any script.
#[derive(Clone, Copy, Debug)]
pub enum Form<'a> {
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
    /// It took too long.
    Over,
    /// Anything else.
    Unavailable,
}

struct File {
    content_type: &'static str,
    plain: Bytes,
    gzip: Option<Bytes>,
    brotli: Option<Bytes>,
}

/// The page's files and document.
pub struct Assets {
    files: HashMap<String, File>,
    template: String,
    policy: HeaderValue,
    site: String,
    cluster: String,
    base: String,
    /// The URL of the site's logo; empty without one.
    logo: String,
}

/// What stands in for the page while `trunk serve` has it.
const DEVELOPMENT: &str = "<!doctype html><title>Slipway</title><p>The page is served by trunk.</p>";

impl Assets {
    /// Reads Trunk's output. An error says what is missing.
    pub fn load(config: &Config) -> Result<Self, String> {
        let folder = &config.server.assets;
        let index = match fs::read_to_string(folder.join("index.html")) {
            Ok(index) => index,
            Err(_) if config.server.development_origin.is_some() => DEVELOPMENT.to_owned(),
            Err(e) => {
                return Err(format!(
                    "server.assets: {}/index.html: {e}; `make build` makes it",
                    folder.display()
                ));
            }
        };
        let base = config.server.base();
        // Trunk built for the root; every URL of the page in the document starts with /hub/.
        let template = index
            .replace("\"/hub/", &format!("\"{base}hub/"))
            .replace("'/hub/", &format!("'{base}hub/"));
        let policy = policy(&template);
        // A form without scripts goes on without scripts.
        let template = template
            .replace("<script", "<!--scripts:on--><script")
            .replace("</script>", "</script><!--/scripts:on-->");
        let mut files = HashMap::new();
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(content_type) = content_type(&name) else {
                continue;
            };
            let read = |suffix: &str| fs::read(folder.join(format!("{name}{suffix}"))).ok().map(Bytes::from);
            let Some(plain) = read("") else { continue };
            files.insert(
                name.clone(),
                File {
                    content_type,
                    plain,
                    gzip: read(".gz"),
                    brotli: read(".br"),
                },
            );
        }
        let logo = match &config.site.logo {
            Some(path) => {
                let (name, file) = logo(path).map_err(|e| format!("site.logo: {}: {e}", path.display()))?;
                files.insert(name.clone(), file);
                format!("{base}hub/{name}")
            }
            None => String::new(),
        };
        let (site, cluster) = (config.site.name.clone(), config.site.cluster.clone());
        Ok(Self {
            files,
            template,
            policy,
            site,
            cluster,
            base,
            logo,
        })
    }

    /// A file of the page; its name has a hash of its content in it, so it is good for ever.
    pub fn file(&self, name: &str, headers: &HeaderMap) -> Option<Response> {
        let file = self.files.get(name)?;
        let accepted = headers
            .get(header::ACCEPT_ENCODING)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let accepts = |coding: &str| {
            accepted
                .split(',')
                .any(|item| item.split(';').next().map(str::trim) == Some(coding))
        };
        let (coding, body) = match (&file.brotli, &file.gzip) {
            (Some(brotli), _) if accepts("br") => (Some("br"), brotli),
            (_, Some(gzip)) if accepts("gzip") => (Some("gzip"), gzip),
            _ => (None, &file.plain),
        };
        let mut response = Body::from(body.clone()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        );
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(coding) = coding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        Some(response)
    }

    /// The document of the page, in the person's language and colours, with what it would ask first; with a form if one
    /// is given.
    pub fn document(&self, status: StatusCode, look: Look, form: Option<Form<'_>>, answers: &Answers) -> Response {
        let language = look.language;
        let mut html = self.template.clone();
        keep_one(&mut html, "lang", language.tag(), &["en", "fr"]);
        let nothing = (LoginForm::default(), ChallengeView::default());
        let (page, login, challenge, next) = match form {
            Some(Form::Login(login)) => ("login", login, &nothing.1, login.next.as_str()),
            Some(Form::Challenge(challenge, next)) => ("challenge", &nothing.0, challenge, next),
            None => ("other", &nothing.0, &nothing.1, ""),
        };
        keep_one(&mut html, "page", page, &["login", "challenge", "other"]);
        keep_one(&mut html, "logo", if self.logo.is_empty() { "" } else { "on" }, &["on"]);
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
        for (name, value) in [
            ("lang", language.tag()),
            ("base", &self.base),
            ("theme", look.theme),
            ("title", &format!("{} · {}", self.site, self.cluster)),
            ("site", &self.site),
            ("cluster", &self.cluster),
            ("logo", &self.logo),
            // Only who is not signed in is shown a form: the page does not have to ask.
            ("signed_in", if form.is_some() { "no" } else { "" }),
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
        html = html.replacen("<!--answers-->", answers.html(), 1);
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

impl LoginProblem {
    /// The one sentence for a browser without scripts. The page has its own words for the rest.
    fn text(self, language: Language) -> String {
        let text = match self {
            Self::Wrong => language.pick(
                "Wrong user name or password.",
                "Nom d’utilisateur ou mot de passe incorrect.",
            ),
            Self::Throttled(_) => language.pick(
                "Too many wrong passwords. Try again in {seconds} seconds.",
                "Trop de mots de passe incorrects. Réessayez dans {seconds} secondes.",
            ),
            Self::Inactive => language.pick("Your account is not active.", "Votre compte n’est pas actif."),
            Self::PasswordExpired => language.pick(
                "Your password has expired. Change it first.",
                "Votre mot de passe a expiré. Changez-le d’abord.",
            ),
            Self::Over => language.pick(
                "That took too long. Log in anew.",
                "Le délai est dépassé. Reconnectez-vous.",
            ),
            Self::Unavailable => language.pick(
                "Signing in is not possible right now.",
                "La connexion est impossible pour le moment.",
            ),
        };
        match self {
            Self::Throttled(seconds) => text.replace("{seconds}", &seconds.to_string()),
            _ => text.to_owned(),
        }
    }
}

/// The site's logo, under a name with its content's hash.
fn logo(path: &Path) -> Result<(String, File), String> {
    const MOST: usize = 64 * 1024;
    let plain = fs::read(path).map_err(|e| e.to_string())?;
    if plain.len() > MOST {
        return Err(format!(
            "has {} bytes, and everybody waits for them: at most {MOST}",
            plain.len()
        ));
    }
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let content_type = match ending {
        "svg" => "image/svg+xml",
        "png" => "image/png",
        _ => return Err("is neither .svg nor .png".into()),
    };
    let hash = digest::digest(&digest::SHA256, &plain);
    let hash = URL_SAFE_NO_PAD.encode(hash.as_ref().get(..9).unwrap_or_default());
    let file = File {
        content_type,
        plain: plain.into(),
        gzip: None,
        brotli: None,
    };
    Ok((format!("logo-{hash}.{ending}"), file))
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

/// Nothing from elsewhere, and of inline scripts only those that Trunk wrote, by their hashes.
fn policy(html: &str) -> HeaderValue {
    let mut scripts = String::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once("<script") {
        let Some((attributes, body)) = after.split_once('>') else {
            break;
        };
        let Some((body, after)) = body.split_once("</script>") else {
            break;
        };
        if !attributes.contains("src=") {
            let hash = digest::digest(&digest::SHA256, body.as_bytes());
            scripts = format!("{scripts} 'sha256-{}'", STANDARD.encode(hash));
        }
        rest = after;
    }
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{scripts}; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn content_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
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

    #[test]
    fn inline_scripts_are_named_by_their_hash() {
        let policy = policy("<script type=module>let a = 1;</script><script src=\"/hub/x.js\"></script>");
        let policy = policy.to_str().unwrap();
        assert_eq!(policy.matches("'sha256-").count(), 1);
        assert!(!policy.contains("unsafe-inline"));
    }
}
