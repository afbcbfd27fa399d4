//! Requests and answers go through as they are, but for what belongs to Slipway.

use ::http::{HeaderMap, Method};
use serde_json::{Value, json};
use slipway_tests::Person;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::ready;

#[tokio::test]
async fn path_and_query_arrive_byte_for_byte() {
    let (site, ada) = ready().await;
    for rest in [
        "show",
        "show?a=1&b=%2F&c=%E2%82%AC",
        "show?x=a+b%20c&&y",
        "show?token=t0k",
    ] {
        let shown: Value = ada.get(&ada.own(rest)).await.json();
        assert_eq!(shown["uri"], format!("/user/ada/{rest}"), "{rest}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn a_request_that_names_the_host_in_its_first_line_reaches_the_server_as_a_path() {
    let (site, ada) = ready().await;
    let host = site.url.trim_start_matches("http://").trim_end_matches('/');
    let mut connection = TcpStream::connect(host).await.unwrap();
    let (url, cookies) = (ada.url("user/ada/show?a=%2F"), ada.cookies("user/ada/"));
    let head = format!("GET {url} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n");
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains(r#""uri":"/user/ada/show?a=%2F""#), "{answer}");
    site.shut_down().await;
}

#[tokio::test]
async fn every_method_and_body_goes_through() {
    let (site, ada) = ready().await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = ada.request(method.clone(), &ada.own("echo")).body("a body, ein Körper");
        let reply = Person::send(request).await;
        assert_eq!(
            (reply.status, reply.text.as_str()),
            (200, "a body, ein Körper"),
            "{method}"
        );
    }
    site.shut_down().await;
}

#[tokio::test]
async fn a_hundred_megabytes_go_each_way() {
    let (site, ada) = ready().await;
    let length = 100 << 20;
    let down = ada
        .request(Method::GET, &ada.own(&format!("bytes/{length}")))
        .send()
        .await
        .unwrap();
    assert_eq!(down.bytes().await.unwrap().len(), length);
    let up = ada
        .request(Method::POST, &ada.own("echo"))
        .body(vec![b'y'; length])
        .send()
        .await
        .unwrap();
    assert_eq!(up.bytes().await.unwrap().len(), length);
    // None of it was kept: a megabyte or two is what Slipway needs, not two hundred.
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string(format!("/proc/{}/status", site.slipway_pid().unwrap())).unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap()
            .trim()
            .trim_end_matches(" kB");
        let peak: u64 = peak.parse().unwrap();
        assert!(peak < 150_000, "Slipway took {peak} kB");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn the_server_never_sees_slipways_cookies_nor_what_a_client_says_of_itself() {
    let (site, ada) = ready().await;
    let cookies = format!("_xsrf=2|x; {}; username-1=abc", ada.cookies("user/ada/"));
    let request = ada
        .http
        .get(ada.url("user/ada/show"))
        .header("cookie", &cookies)
        .header("x-forwarded-for", "6.6.6.6")
        .header("forwarded", "for=6.6.6.6")
        .header("x-real-ip", "6.6.6.6")
        .header("connection", "x-secret")
        .header("x-secret", "1")
        .header("accept-language", "fr");
    let shown: Value = Person::send(request).await.json();
    let headers = &shown["headers"];
    assert_eq!(headers["cookie"], json!(["_xsrf=2|x; username-1=abc"]));
    assert_eq!(
        (&headers["x-forwarded-for"], &headers["x-forwarded-proto"]),
        (&json!(["127.0.0.1"]), &json!(["http"]))
    );
    for name in ["forwarded", "x-real-ip", "x-secret", "connection"] {
        assert!(headers[name].is_null(), "{name}: {headers}");
    }
    assert_eq!(headers["accept-language"], json!(["fr"]));
    assert_eq!(
        headers["host"][0].as_str().unwrap(),
        ada.origin().trim_start_matches("http://")
    );
    site.shut_down().await;
}

#[tokio::test]
async fn a_server_cannot_set_slipways_cookies_nor_say_anything_about_its_whole_host() {
    let (site, ada) = ready().await;
    let reply = ada.get(&ada.own("planted")).await;
    let set: Vec<_> = reply.headers.get_all("set-cookie").iter().collect();
    assert_eq!(set, ["own=1", "wide=1; Path=/user/ada/"]);
    for name in ["clear-site-data", "alt-svc"] {
        assert!(!reply.headers.contains_key(name), "{name}");
    }
    assert_eq!(ada.get("hub/api/user").await.status, 200);
    site.shut_down().await;
}

#[tokio::test]
async fn redirects_stay_as_the_server_made_them() {
    let (site, ada) = ready().await;
    let reply = ada.get(&ada.own("redirect")).await;
    assert_eq!(
        (reply.status, reply.headers["location"].to_str().unwrap()),
        (303, "lab")
    );
    site.shut_down().await;
}

#[tokio::test]
async fn lab_menu_s_log_out_and_log_in_lead_to_the_hub() {
    let (site, ada) = ready().await;
    for (rest, target) in [("logout", "/hub/logout"), ("login?next=x", "/hub/login")] {
        let reply = ada.get(&ada.own(rest)).await;
        assert_eq!(
            (reply.status, reply.headers["location"].to_str().unwrap()),
            (303, target)
        );
    }
    site.shut_down().await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_an_error_of_its_own() {
    let (site, ada) = ready().await;
    let pid = site.cluster().job(1).unwrap().process.unwrap();
    // Everything of the job stands still, as on a node that hangs; then it is gone.
    let gone = ada.post(&ada.own("exit/1"), &json!({})).await;
    assert_eq!((gone.status, gone.code().as_str()), (503, "not_answering"), "{pid}");
    assert!(!gone.text.contains("127.0.0.1"), "{}", gone.text);
    site.shut_down().await;
}

#[tokio::test]
async fn answers_keep_the_servers_own_headers() {
    let (site, ada) = ready().await;
    let headers: HeaderMap = ada.get("user/ada/lab").await.headers;
    assert!(
        !headers.contains_key("content-security-policy"),
        "the hub's policy would break Jupyter"
    );
    assert!(headers.contains_key("x-request-id"));
    site.shut_down().await;
}

#[tokio::test]
async fn what_follows_a_body_goes_both_ways_for_who_wants_it() {
    let (site, ada) = ready().await;
    let host = site.url.trim_start_matches("http://").trim_end_matches('/');
    let (cookies, origin) = (ada.cookies("user/ada/"), ada.origin());
    let mut connection = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "POST /user/ada/trailers HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\nOrigin: {origin}\r\n\
         Connection: close, TE\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n\
         2\r\nab\r\n0\r\nx-sum: 7\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("body\r\n0\r\nx-sum: 7\r\n\r\n"), "{answer}");
    site.shut_down().await;
}
