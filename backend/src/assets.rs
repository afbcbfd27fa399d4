//! The page: Trunk's output, kept in memory with its compressed forms, and the document that loads it.

mod document;
mod former;
mod policy;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use shared::api::Bilingual;

pub use self::document::{Content, LoginForm, LoginProblem};
use self::policy::{policy, with_styles};
use frontend::Draft;

use crate::config::Config;
use crate::look::Look;

struct File {
    content_type: &'static str,
    plain: Bytes,
    gzip: Option<Bytes>,
    brotli: Option<Bytes>,
}

/// The page's files and document.
pub struct Assets {
    files: HashMap<String, File>,
    /// The name of this release of the page.
    release: String,
    template: String,
    /// The same with its styles in it, for pages that most people see before anything is in their browser's cache.
    first_template: String,
    policy: HeaderValue,
    site: String,
    cluster: String,
    base: String,
    /// The URL of the site's logo; empty without one.
    logo: String,
    /// What the site wants said at a field, by the field's name.
    help: BTreeMap<String, Bilingual>,
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
        let first_template = with_styles(&template, &base, folder);
        let policy = policy(&first_template);
        // A form without scripts goes on without scripts.
        let [template, first_template] = [template, first_template].map(|template| {
            template
                .replace("<script", "<!--scripts:on--><script")
                .replace("</script>", "</script><!--/scripts:on-->")
        });
        let mut files = read(folder);
        let (kept, release) = (kept(config), hash(index.as_bytes()));
        if let Some(former) = former::find(&kept, &release) {
            for (name, file) in read(&former) {
                files.entry(name).or_insert(file);
            }
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
            release,
            template,
            first_template,
            policy,
            site,
            cluster,
            base,
            logo,
            help: config.site.help.clone(),
        })
    }

    /// Keeps the page's files for the release after this one, now that this one serves.
    pub fn keep(&self, config: &Config) {
        let kept = kept(config);
        match former::keep(&config.server.assets, &kept, &self.release) {
            // `trunk serve` has the page then.
            Err(_) if config.server.development_origin.is_some() => {}
            Err(e) => tracing::warn!(
                "{}: the page could not be kept for the next release: {e}",
                kept.display()
            ),
            Ok(()) => {}
        }
    }

    /// The page as it will be drawn, as far as it can be before it runs, with what is the site's and the look's.
    pub fn draft<'a>(&'a self, page: Draft<'a>, look: &'a Look) -> Draft<'a> {
        Draft {
            base: &self.base,
            language: look.language.tag(),
            theme: look.theme,
            behind_utc: look.behind_utc,
            dismissed: &look.dismissed,
            logo: &self.logo,
            names: [&self.site, &self.cluster],
            ..page
        }
    }

    /// A file of the page; its name has a hash of its content in it, so it is good for ever.
    pub fn file(&self, name: &str, headers: &HeaderMap) -> Option<Response> {
        let file = self.files.get(name)?;
        let (coding, body) = match (&file.brotli, &file.gzip) {
            (Some(brotli), _) if accepts(headers, "br") => (Some("br"), brotli),
            (_, Some(gzip)) if accepts(headers, "gzip") => (Some("gzip"), gzip),
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
}

/// Whether a client takes a coding: it names it, and not with a weight of nothing.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    let items = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    items.into_iter().any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight
            .split_once('=')
            .and_then(|(_, weight)| weight.trim().parse().ok());
        name.trim().eq_ignore_ascii_case(coding) && weight != Some(0_f32)
    })
}

/// `GET /favicon.ico`: browsers ask for it where a page names no icon, as many in people's own servers do.
pub async fn show_icon() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
    ];
    (headers, include_str!("../../style/icon.svg"))
}

/// The files of a page, with what Trunk's last step made of them.
fn read(folder: &Path) -> HashMap<String, File> {
    let mut files = HashMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(content_type) = content_type(&name) else {
            continue;
        };
        let content = |suffix: &str| fs::read(folder.join(format!("{name}{suffix}"))).ok().map(Bytes::from);
        let Some(plain) = content("") else { continue };
        let (gzip, brotli) = (content(".gz"), content(".br"));
        files.insert(
            name,
            File {
                content_type,
                plain,
                gzip,
                brotli,
            },
        );
    }
    files
}

/// Where the page's files of this release and of the one before are kept.
fn kept(config: &Config) -> PathBuf {
    config.server.state.with_extension("pages")
}

/// A content's name.
fn hash(content: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, content);
    let mut name = URL_SAFE_NO_PAD.encode(hash);
    name.truncate(former::NAME);
    name
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
    let hash = hash(&plain);
    let file = File {
        content_type,
        plain: plain.into(),
        gzip: None,
        brotli: None,
    };
    Ok((format!("logo-{hash}.{ending}"), file))
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
