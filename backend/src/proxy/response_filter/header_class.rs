//! Which response headers of a person's server pass, by what acts on them. docs/security.md has the same table.
//!
//! Applications send headers of their own choice, so names that nobody else acts on pass. Everything that is an
//! instruction to a front proxy, to a shared cache, or to the browser about the whole host is removed by family, so that
//! the next header of a vendor is covered as well.

/// What the response filter does with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderClass {
    /// Concerns this answer alone, or only the application reads it.
    Passes,
    /// Between two neighbours only (RFC 9110, section 7.6.1): removed.
    HopByHop,
    /// An instruction to a proxy in front (internal redirect, file to send, health, scheduling): removed.
    FrontProxy,
    /// An instruction to a cache or CDN in front: removed; `Cache-Control` is the one that remains, see below.
    SharedCache,
    /// An instruction to the browser about all paths of the host, or about its sign-ins: removed.
    WholeHost,
    /// Narrowed: such answers are stored by the browser only.
    CacheControl,
    /// Narrowed to the person's path, and to names that are not Slipway's.
    SetCookie,
    /// Narrowed: a path of this host, or a URL with scheme and host.
    Location,
    /// Passes inside the person's path only: caches act on it (RFC 9111, section 4.4).
    ContentLocation,
    /// Narrowed like `Location`.
    Refresh,
    /// Narrowed to the person's path.
    ServiceWorkerAllowed,
    /// Passes without relations for which a front proxy makes requests of its own (HTTP/2 push, early hints).
    Link,
    /// Passes without schemes for which browsers show a dialog or send credentials on their own.
    WwwAuthenticate,
}

/// The class of a header; the name in lower case.
pub fn classify(name: &str) -> HeaderClass {
    use HeaderClass as Class;
    match name {
        "cache-control" => Class::CacheControl,
        "set-cookie" => Class::SetCookie,
        "location" => Class::Location,
        "content-location" => Class::ContentLocation,
        "refresh" => Class::Refresh,
        "service-worker-allowed" => Class::ServiceWorkerAllowed,
        "link" => Class::Link,
        "www-authenticate" => Class::WwwAuthenticate,
        "connection"
        | "keep-alive"
        | "proxy-authenticate"
        | "proxy-authorization"
        | "proxy-connection"
        | "te"
        | "transfer-encoding"
        | "upgrade" => Class::HopByHop,
        "sec-websocket-accept" | "sec-websocket-extensions" | "sec-websocket-protocol" | "sec-websocket-version" => {
            Class::Passes
        }
        // HTTP/2 scheduling by the next proxy (RFC 9218); the file to send, in its oldest spelling.
        "priority" | "x-send-file" => Class::FrontProxy,
        "accept-ch"
        | "accept-ch-lifetime"
        | "activate-storage-access"
        | "alt-svc"
        | "available-dictionary"
        | "clear-site-data"
        | "dictionary-id"
        | "expect-ct"
        | "nel"
        | "observe-browsing-topics"
        | "public-key-pins"
        | "public-key-pins-report-only"
        | "report-to"
        | "reporting-endpoints"
        | "shared-storage-write"
        | "strict-transport-security"
        | "use-as-dictionary" => Class::WholeHost,
        // Cache directives for one kind of cache (RFC 9213), and those of vendors.
        _ if name.ends_with("-cache-control") => Class::SharedCache,
        _ => classify_family(name),
    }
}

/// By the first word of the name, behind `x-` the second.
fn classify_family(name: &str) -> HeaderClass {
    let vendor = name.strip_prefix("x-");
    let words = vendor.unwrap_or(name);
    let family = words.split_once('-').map_or(words, |(first, _)| first);
    match family {
        "appengine" | "envoy" | "esi" | "lighttpd" | "litespeed" | "lsadc" | "lsc" | "reproxy" => {
            HeaderClass::FrontProxy
        }
        // `X-Accelerator-Vary` and `X-Sendfile2` as well.
        _ if vendor.is_some() && (family.starts_with("accel") || family.starts_with("sendfile")) => {
            HeaderClass::FrontProxy
        }
        "proxy" if vendor.is_none() => HeaderClass::FrontProxy,
        "akamai" | "cache" | "cdn" | "cf" | "cloudflare" | "edge" | "fastly" | "netlify" | "surrogate" | "varnish"
        | "vercel" | "xkey" => HeaderClass::SharedCache,
        // Browsers act on such names without `x-` only.
        "attribution" | "critical" | "idp" | "origin" | "sec" | "secure" | "set" if vendor.is_none() => {
            HeaderClass::WholeHost
        }
        _ => HeaderClass::Passes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_to_others_than_the_application_are_recognised_by_family() {
        for (class, names) in [
            (
                HeaderClass::FrontProxy,
                "x-accel-redirect x-accel-expires x-accel-buffering x-accel-limit-rate x-accel-charset \
                 x-accelerator-vary x-sendfile x-sendfile2 x-sendfile-temporary x-send-file x-lighttpd-send-file \
                 x-litespeed-location x-litespeed-cache-control x-lsadc-backend lsc-cookie x-reproxy-url \
                 x-envoy-immediate-health-check-fail x-appengine-blobkey x-esi proxy-status priority",
            ),
            (
                HeaderClass::SharedCache,
                "surrogate-control surrogate-key cdn-cache-control cloudflare-cdn-cache-control vercel-cache-tag \
                 x-acme-cache-control edge-control edge-cache-tag cache-tag cache-groups cache-group-invalidation \
                 fastly-restarts x-fastly-key cf-edge-cache netlify-vary akamai-cache-status x-cache-tags xkey",
            ),
            (
                HeaderClass::WholeHost,
                "clear-site-data alt-svc nel report-to reporting-endpoints strict-transport-security public-key-pins \
                 expect-ct accept-ch critical-ch origin-agent-cluster origin-trial set-login set-cookie2 \
                 idp-signin-status secure-session-registration sec-session-registration use-as-dictionary",
            ),
        ] {
            for name in names.split_whitespace() {
                let found = classify(name);
                // What is both a proxy's and a cache's is removed as either.
                let is_cache = name.ends_with("-cache-control") && found == HeaderClass::SharedCache;
                assert!(found == class || is_cache, "{name}: {found:?}");
            }
        }
    }

    #[test]
    fn what_documents_and_applications_need_passes() {
        for name in "content-type content-length content-disposition content-encoding content-security-policy \
            content-range accept-ranges age allow date etag expires last-modified vary server via retry-after \
            server-timing sourcemap x-sourcemap timing-allow-origin trailer x-content-type-options x-frame-options \
            referrer-policy permissions-policy cross-origin-opener-policy cross-origin-embedder-policy \
            cross-origin-resource-policy access-control-allow-origin access-control-allow-credentials \
            sec-websocket-accept sec-websocket-protocol sec-websocket-extensions x-rstudio-session x-shiny-mode \
            x-jupyterhub-version x-request-id x-csrf-token hx-redirect mcp-session-id grpc-status dav lock-token \
            tus-resumable docker-content-digest x-set-limit x-origin-id x-proxy-name accept-patch"
            .split_whitespace()
        {
            assert_eq!(classify(name), HeaderClass::Passes, "{name}");
        }
    }
}
