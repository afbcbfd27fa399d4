//! The page for a request whose `Host` is not one of the site's: another name of the machine, or a front proxy that
//! does not pass on what the browser sent. It stands alone, since nothing of this site can be loaded from that address.

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::look::Language;

/// Nothing is loaded, run or framed.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Says where the site is, with a link to the same page there. `target` is an absolute URL.
pub(crate) fn document(language: Language, target: &str) -> Response {
    let target = target.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let tag = language.tag();
    let title = language.pick("This service has another address", "Ce service a une autre adresse");
    let lead = language.pick("Open it here:", "Ouvrez-le ici :");
    let advice = language.pick(
        "If that link leads back to this page, a proxy in front of the service does not pass on the host name. Please tell \
         the support team.",
        "Si ce lien ramène à cette page, un serveur mandataire devant le service ne transmet pas le nom d’hôte. Veuillez en \
         informer l’équipe de soutien.",
    );
    let html = format!(
        "<!doctype html><html lang=\"{tag}\"><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light \
         dark\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title></head><body><main><h1>{title}</h1>\
         <p>{lead} <a href=\"{target}\">{target}</a></p><p>{advice}</p></main></body></html>"
    );
    let mut response = (StatusCode::MISDIRECTED_REQUEST, Html(html)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
