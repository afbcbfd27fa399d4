use super::*;

const FILTER: ResponseFilter<'static> = ResponseFilter {
    path: "/user/ada",
    host: "jupyter.example.org",
    is_https: true,
};

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let line = |(name, value): &(&'static str, &str)| {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        (HeaderName::from_static(name), value)
    };
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().map(line) {
        headers.append(name, value);
    }
    headers
}

/// The lines that are left, without `Cache-Control: private`, which each answer without one gets.
fn filtered(lines: &[(&'static str, &str)]) -> Vec<String> {
    let mut headers = headers(lines);
    FILTER.apply(&mut headers);
    let private = headers.remove(header::CACHE_CONTROL);
    assert_eq!(private, Some(HeaderValue::from_static("private")));
    let text =
        |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    headers.iter().map(text).collect()
}

#[test]
fn cookies_are_for_the_own_path_and_host_and_for_https() {
    for (set, becomes) in [
        ("a=1; Path=/user/ada/; Secure", "a=1; Path=/user/ada/; Secure"),
        ("a=1; Path=/user/ada; secure", "a=1; Path=/user/ada; secure"),
        ("a=1; HttpOnly", "a=1; HttpOnly; Secure"),
        ("a=1; Path=/; Secure", "a=1; Path=/user/ada/; Secure"),
        ("a=1; path = /hub/ ;Secure", "a=1; Path=/user/ada/;Secure"),
        ("a=1; Path=/user/adam/; Secure", "a=1; Path=/user/ada/; Secure"),
        ("a=1; Path=/user/ada/../bob; Secure", "a=1; Path=/user/ada/; Secure"),
        ("a=1; Path; Secure", "a=1; Path=/user/ada/; Secure"),
        ("a=1; Domain=example.org; Secure", "a=1; Secure"),
        ("a=é=; Secure;", "a=é=; Secure;"),
    ] {
        assert_eq!(filtered(&[("set-cookie", set)]), [format!("set-cookie: {becomes}")]);
    }
}

#[test]
fn cookies_with_a_name_of_slipways_are_removed_and_others_stay() {
    for line in [
        "slipway-hub=x; Path=/hub/",
        "__Secure-slipway-hub=; Path=/hub/; Max-Age=0",
        "__Host-slipway-hub=x",
        "__HOST-Slipway-next=x",
        " = __Secure-slipway-user = x",
        "slipway-hand-off-12345678=x",
        "slipway-language=fr",
    ] {
        assert!(filtered(&[("set-cookie", line)]).is_empty(), "{line}");
    }
    for line in [
        "_xsrf=2|x; Secure",
        "name==__Secure-slipway-hub=x; Secure",
        "slipway=1; Secure",
        "é; Secure",
    ] {
        let set = [("set-cookie", "slipway-user=x"), ("set-cookie", line)];
        assert_eq!(filtered(&set), [format!("set-cookie: {line}")]);
    }
}

#[test]
fn what_instructs_a_proxy_a_cache_or_the_browser_about_its_host_is_removed() {
    let lines = [
        ("x-accel-redirect", "/private/report.txt"),
        ("x-sendfile", "/etc/passwd"),
        ("surrogate-control", "max-age=600"),
        ("cdn-cache-control", "max-age=600"),
        ("clear-site-data", "\"*\""),
        ("set-login", "logged-out"),
        ("connection", "x-private"),
        ("x-private", "1"),
        ("keep-alive", "timeout=5"),
        ("x-rstudio-session", "1"),
    ];
    assert_eq!(filtered(&lines), ["x-rstudio-session: 1"]);
}

#[test]
fn a_service_worker_has_the_persons_path_at_most() {
    for (allowed, becomes) in [
        ("/user/ada/", "/user/ada/"),
        ("/user/ada/proxy/8080/", "/user/ada/proxy/8080/"),
        ("/", "/user/ada/"),
        ("/user/ada", "/user/ada/"),
        ("/user/adam/", "/user/ada/"),
        ("../..", "/user/ada/"),
        ("/user/ada/..", "/user/ada/"),
        ("/user/ada/%2E%2e/", "/user/ada/"),
        ("/user/ada/.\t./", "/user/ada/"),
        (r"/user/ada/x\..\..\", "/user/ada/"),
    ] {
        let lines = filtered(&[("service-worker-allowed", allowed)]);
        assert_eq!(lines, [format!("service-worker-allowed: {becomes}")], "{allowed}");
    }
    let two = [
        ("service-worker-allowed", "/user/ada/"),
        ("service-worker-allowed", "/"),
    ];
    assert_eq!(filtered(&two), ["service-worker-allowed: /user/ada/"]);
}

#[test]
fn only_browsers_may_store_an_answer() {
    for (said, becomes) in [
        (&["no-store"][..], "no-store"),
        (&["no-cache"], "private, no-cache"),
        (&["Private, max-age=60"], "Private, max-age=60"),
        (
            &["public, max-age=31536000, immutable"],
            "private, max-age=31536000, immutable",
        ),
        (&["max-age=60, s-maxage=600, proxy-revalidate"], "private, max-age=60"),
        (&["private=\"set-cookie, x\", s-maxage=600"], "private"),
        (&["no-cache=\"x\", private"], "no-cache, private"),
        (&["private", "public, s-maxage=600"], "private"),
        (&["max-age=\"60\", x-cdn=1, max-age=-1"], "private"),
        (&[""], "private"),
    ] {
        let lines: Vec<_> = said.iter().map(|value| ("cache-control", *value)).collect();
        let mut found = headers(&lines);
        FILTER.apply(&mut found);
        assert_eq!(found, headers(&[("cache-control", becomes)]), "{said:?}");
    }
}

#[test]
fn of_several_locations_the_first_counts() {
    let two = [("location", "lab"), ("location", "//evil.example/")];
    assert_eq!(filtered(&two), ["location: lab"]);
    assert_eq!(filtered(&[two[1], two[0]]), ["location: /evil.example/"]);
    assert!(filtered(&[("location", "http:/evil.example/")]).is_empty());
    assert_eq!(filtered(&[("refresh", "0;url=//x")]), ["refresh: 0;url=/x"]);
}

#[test]
fn links_challenges_and_content_locations_pass_where_nobody_acts_on_them_for_the_host() {
    for (name, passes, value) in [
        ("link", true, "</user/ada/api?page=2>; rel=\"next\""),
        ("link", false, "</private/report.txt>; rel=preload"),
        ("link", false, "</a>; rel=next, <https://evil.example>; rel=PreConnect"),
        (
            "www-authenticate",
            true,
            "Bearer resource_metadata=\"https://example.org/\"",
        ),
        ("www-authenticate", false, "Basic realm=\"cluster\""),
        ("www-authenticate", false, "Bearer, negotiate"),
        ("content-location", true, "/user/ada/a.json"),
        ("content-location", false, "/hub/home"),
        ("content-location", false, "https://jupyter.example.org/hub/home"),
    ] {
        assert_eq!(!filtered(&[(name, value)]).is_empty(), passes, "{name}: {value}");
    }
}

#[test]
fn trailers_are_for_the_application_alone() {
    let mut trailers = headers(&[
        ("grpc-status", "0"),
        ("set-cookie", "a=1"),
        ("location", "/x"),
        ("cache-control", "public"),
        ("x-accel-redirect", "/private/"),
        ("connection", "close"),
    ]);
    filter_trailers(&mut trailers);
    assert_eq!(trailers, headers(&[("grpc-status", "0")]));
}
