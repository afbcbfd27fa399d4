//! Documents, files and headers.

use http::Method;
use local_slurm::Fault;
use serde_json::{Value, json};
use shared::server::Phase;
use slipway_tests::{Person, Plan, Reply, Site, until};

#[tokio::test]
async fn every_page_is_one_document_with_a_strict_policy() {
    let site = Site::start(Plan::default()).await;
    let person = site.anonymous();
    for path in [
        "hub/login",
        "hub/home",
        "hub/spawn",
        "hub/spawn-pending/ada",
        "hub/nothing-of-this-name",
    ] {
        let reply = person.navigate(path).await;
        let status = if path.contains("nothing") { 404 } else { 200 };
        assert_eq!(reply.status, status, "{path}");
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'sha256-"),
            "{policy}"
        );
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline"),
            "{policy}"
        );
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
        assert!(
            !reply.text.contains("{{") && !reply.text.contains("<!--lang:"),
            "{path}: a mark was left: {}",
            reply.text
        );
        // Who logs in has nothing of the page in their browser yet: the styles come with the document.
        let (styles, links) = (
            reply.text.matches("<style>").count(),
            reply.text.matches("\"stylesheet\"").count(),
        );
        assert_eq!(
            (styles, links),
            if path == "hub/login" { (1, 0) } else { (0, 1) },
            "{path}"
        );
        assert!(policy.contains("style-src 'self' 'sha256-"), "{policy}");
        let has_form = reply.text.contains("type=\"password\"") || reply.text.contains("type=password");
        assert_eq!(has_form, path == "hub/login", "{path}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn pages_without_an_icon_of_their_own_have_slipways_at_every_host_name() {
    let plan = Plan {
        split: true,
        ..Plan::default()
    };
    let site = Site::start(plan).await;
    for origin in [site.url.clone(), Site::user_url(&site.url)] {
        let request = site.anonymous().http.get(format!("{origin}favicon.ico"));
        let icon = Person::send(request.header("sec-fetch-mode", "no-cors")).await;
        assert_eq!(
            (icon.status, &icon.headers["content-type"]),
            (200, &"image/svg+xml".parse().unwrap()),
            "{origin}"
        );
        assert!(icon.text.starts_with("<svg"), "{}", icon.text);
    }
    site.shut_down().await;
}

/// What a document answers under this name.
fn answer(document: &str, name: &str) -> Option<Value> {
    let start = format!("<script type=\"application/json\" id=\"answer-{name}\">");
    let json = document.split_once(&start)?.1.split_once("</script>")?.0;
    Some(serde_json::from_str(json).unwrap())
}

/// A document that had the time to bring this answer along: it waits 50 ms for it, in which a busy machine may do nothing.
async fn with_answer(person: &Person, path: &str, name: &str) -> Reply {
    for _ in 0..100 {
        let document = person.navigate(path).await;
        if answer(&document.text, name).is_some() {
            return document;
        }
    }
    panic!("{path} never answers {name}");
}

/// Without what is another each second.
fn still(mut answer: Value) -> Value {
    answer.as_object_mut().unwrap().remove("sign_in_seconds");
    for server in answer["servers"].as_object_mut().unwrap().values_mut() {
        server["state"].as_object_mut().unwrap().remove("now");
    }
    answer
}

#[tokio::test]
async fn the_document_answers_what_its_page_asks_first_and_names_what_it_asks_next() {
    let text = "Closed </script><script>alert(1)</script><!-- & \u{2028}";
    let more = format!("[[site.announcements]]\ntext = {{ en = {text:?}, fr = \"Fermé\" }}\n");
    let site = Site::start(Plan {
        more: more.replace("\\u{2028}", "\\u2028"),
        ..Plan::default()
    })
    .await;
    let ada = site.sign_in("ada").await;
    let asked = async |path: &str| ada.get(path).await.json::<Value>();
    let link = |reply: &Reply| {
        reply
            .headers
            .get("link")
            .map_or("", |link| link.to_str().unwrap())
            .to_owned()
    };

    let document = site.anonymous().navigate("hub/login").await;
    let told = answer(&document.text, "site").unwrap();
    assert_eq!(
        (&told, &told["announcements"][0]["text"]["en"]),
        (&asked("hub/api/site").await, &json!(text))
    );
    assert_eq!(document.text.matches("alert(1)").count(), 2, "as data, and to read");
    let to_read = "Closed &lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;!-- &amp; \u{2028}";
    assert!(document.text.contains(to_read), "{}", document.text);
    assert!(!document.text.contains("<script>alert"), "{}", document.text);
    assert_eq!(
        (answer(&document.text, "user"), link(&document)),
        (None, String::new()),
        "nobody is signed in"
    );

    let home = with_answer(&ada, "hub/home", "history").await;
    assert_eq!(link(&home), "");
    assert_eq!(answer(&home.text, "site").unwrap(), told);
    assert_eq!(answer(&home.text, "history").unwrap(), json!([]));
    let form = with_answer(&ada, "hub/spawn?cores=2", "options").await;
    assert_eq!(link(&form), "");
    assert!(answer(&form.text, "user").is_some() && answer(&form.text, "server").is_none());
    let offer = asked("hub/api/options").await;
    for document in [&home, &form] {
        assert_eq!(
            answer(&document.text, "options").unwrap()["accounts"],
            offer["accounts"]
        );
    }

    // With a server, that is what home is about.
    ada.start_and_wait(&json!({})).await;
    let home = with_answer(&ada, "hub/home", "server").await;
    assert_eq!(link(&home), "");
    let server = still(asked("hub/api/users/ada?include_stopped_servers").await);
    assert_eq!(still(answer(&home.text, "server").unwrap()), server);
    assert_eq!(server["servers"][""]["ready"], json!(true));
    site.shut_down().await;
}

#[tokio::test]
async fn a_document_does_not_wait_for_slurm_and_names_what_its_page_has_to_ask() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    site.cluster().set_fault(Fault::Silent);
    let form = ada.navigate("hub/spawn").await;
    let link = form.headers["link"].to_str().unwrap();
    assert_eq!(link, "</hub/api/options>; rel=preload; as=fetch; crossorigin");
    assert!(
        form.text.contains(">One moment…<") && !form.text.contains("<form"),
        "{}",
        form.text
    );
    site.cluster().resume();
    site.shut_down().await;
}

#[tokio::test]
async fn the_document_has_the_page_as_it_will_be_drawn_in_the_persons_language_and_time() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.get("hub/api/options").await;
    let form = ada.navigate("hub/spawn?cores=2").await.text;
    assert!(
        form.contains("data-draft=\"yes\"") && form.contains("<h1 id=\"heading\""),
        "{form}"
    );
    assert!(form.contains("<option value=\"def-ada\" selected>"), "{form}");
    assert!(
        form.contains("inputmode=\"numeric\" autocomplete=\"off\" value=\"2\""),
        "{form}"
    );
    // Where their clock is not known, times are of one that everybody knows.
    assert!(form.contains("\u{a0}UTC"), "{form}");
    let home = ada.navigate("hub/home").await.text;
    assert!(
        home.contains(">Start</button>") && home.contains("class=\"request\""),
        "{home}"
    );

    let own = ada.cookies("hub/");
    let remembered = ["slipway-language=fr", "slipway-theme=dark", "slipway-behind-utc=300"];
    let cookies = own.split("; ").chain(remembered).map(str::to_owned);
    let form = Person::with_cookies(&site.url, "ada", cookies)
        .navigate("hub/spawn")
        .await
        .text;
    assert!(
        form.contains("Compte de calcul") && !form.contains("\u{a0}UTC"),
        "{form}"
    );
    assert!(form.contains("<option value=\"dark\" selected>"), "{form}");
    site.shut_down().await;
}

#[tokio::test]
async fn pages_are_drawn_for_their_documents_once_there_is_something_to_do_on_them() {
    const OTHERS: [&str; 5] = [
        "hub/spawn-pending/ada",
        "hub/logout",
        "hub/events/none",
        "hub/user-redirect/lab/tree",
        "hub/nothing-of-this-name",
    ];
    let site = Site::start(Plan::default()).await;
    let (ada, waits) = (site.sign_in("ada").await, site.sign_in("waits").await);
    let draw = async |person: &Person, path: &str, wanted: bool, doing: &str| {
        let document = person.navigate(path).await;
        let status = if path.contains("nothing") { 404 } else { 200 };
        assert_eq!(document.status, status, "{path} while {doing}");
        let drawn = document.text.contains("data-draft=\"yes\"") && document.text.contains("<h1 id=\"heading\"");
        assert_eq!(drawn, wanted, "{path} while {doing}: {}", document.text);
        assert_eq!(document.text.contains(">One moment…<"), !wanted, "{path} while {doing}");
    };
    let draw_all = async |person: &Person, home: bool, doing: &str| {
        draw(person, "hub/home", home, doing).await;
        draw(person, "hub/spawn", true, doing).await;
        for path in OTHERS {
            draw(person, path, false, doing).await;
        }
    };
    draw_all(&ada, true, "there is no server").await;
    ada.start_and_wait(&json!({})).await;
    draw_all(&ada, true, "it runs").await;
    ada.delete(&ada.server_path()).await;
    ada.wait_for(Phase::Ended).await;
    draw_all(&ada, true, "it has ended").await;
    assert_eq!(waits.start(&json!({})).await.status, 202);
    waits.wait_for(Phase::Queued).await;
    draw_all(&waits, false, "it waits").await;
    site.shut_down().await;
}

#[tokio::test]
async fn nothing_that_somebody_wrote_becomes_markup_in_a_document() {
    const MARKUP: &str = "<img src=x onerror=alert(1)>";
    let more = format!("[[site.announcements]]\ntext = {{ en = \"{MARKUP}\", fr = \"{MARKUP}\" }}\n");
    let site = Site::start(Plan {
        more,
        ..Plan::default()
    })
    .await;
    let ada = site.sign_in("ada").await;
    ada.get("hub/api/options").await;
    for path in [
        "hub/home",
        "hub/spawn?time=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E&account=%3Cimg%3E",
    ] {
        let document = ada.navigate(path).await.text;
        assert!(document.contains("&lt;img src=x onerror=alert(1)&gt;"), "{document}");
        assert!(!document.contains("<img"), "{document}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn documents_and_answers_travel_compressed_and_what_comes_bit_by_bit_does_not() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("many-accounts").await;
    let get = async |path: &str| {
        let request = ada.request(Method::GET, path).header("accept-encoding", "gzip, br");
        request.send().await.unwrap()
    };
    for path in ["hub/api/options", "hub/home"] {
        let (plain, packed) = (ada.get(path).await.text.len(), get(path).await);
        assert_eq!(packed.headers()["content-encoding"], "gzip", "{path}");
        let packed = packed.bytes().await.unwrap().len();
        assert!(packed * 2 < plain, "{path}: {packed} of {plain} bytes");
    }
    ada.start_and_wait(&json!({})).await;
    let events = get("hub/api/users/many-accounts/server/progress").await;
    assert_eq!(
        (events.status().as_u16(), events.headers().get("content-encoding")),
        (200, None)
    );
    site.shut_down().await;
}

#[tokio::test]
async fn the_document_has_the_persons_language_and_colours_before_any_script() {
    let site = Site::start(Plan::default()).await;
    let person = site.anonymous();
    let page = |language: &'static str| {
        Person::send(
            person
                .request(Method::GET, "hub/login")
                .header("accept-language", language),
        )
    };
    let (french, english) = (page("fr-CA,fr;q=0.9").await.text, page("en").await.text);
    assert!(
        french.contains("lang=\"fr\"") && french.contains("Mot de passe"),
        "{french}"
    );
    assert!(
        english.contains("lang=\"en\"") && english.contains("Password"),
        "{english}"
    );
    let chosen = person
        .request(Method::GET, "hub/login")
        .header("cookie", "slipway-language=fr; slipway-theme=dark");
    let chosen = Person::send(chosen).await.text;
    assert!(
        chosen.contains("lang=\"fr\"") && chosen.contains("data-theme=\"dark\""),
        "{chosen}"
    );
    site.shut_down().await;
}

#[tokio::test]
async fn files_of_the_page_are_kept_for_ever_and_travel_compressed() {
    let site = Site::start(Plan::default()).await;
    let person = site.anonymous();
    let document = person.get("hub/login").await.text;
    let start = document.find("/hub/").unwrap();
    let wasm = document[start..]
        .split(['"', '\''])
        .find(|part| part.contains(".wasm"))
        .unwrap();
    let request =
        |encoding: &'static str| Person::send(person.request(Method::GET, wasm).header("accept-encoding", encoding));
    let (plain, brotli) = (request("identity").await, request("gzip, br").await);
    assert_eq!(
        (plain.status, &plain.headers["content-type"]),
        (200, &"application/wasm".parse().unwrap())
    );
    assert_eq!(brotli.headers["content-encoding"], "br");
    let length = |reply: &Reply| {
        reply.headers["content-length"]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    assert!(length(&brotli) * 2 < length(&plain));
    assert_eq!(plain.headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(person.get("hub/frontend-0000000000000000.js").await.status, 404);
    site.shut_down().await;
}

#[tokio::test]
async fn health_and_version_need_no_sign_in_and_every_answer_has_a_request_id() {
    let site = Site::start(Plan::default()).await;
    let person = site.anonymous();
    assert_eq!(person.get("hub/health").await.status, 200);
    // A load balancer asks by an address; nothing else is told to somebody else's host name.
    for (path, status) in [("hub/health", 200), ("hub/api/", 421)] {
        let request = person.http.get(person.url(path)).header("host", "192.0.2.7");
        assert_eq!(Person::send(request).await.status, status, "{path}");
    }
    let version = person.get("hub/api/").await;
    assert!(version.json::<Value>()["version"].is_string());
    assert!(version.headers.contains_key("x-jupyterhub-version"));
    let error = person.get("hub/api/nothing").await;
    assert_eq!((error.status, error.code().as_str()), (404, "not_found"));
    assert_eq!(
        error.headers["x-request-id"].to_str().unwrap(),
        error.error().request_id
    );
    site.shut_down().await;
}

#[tokio::test]
async fn another_base_path_moves_everything() {
    let site = Site::start(Plan {
        base: "/jupyter/",
        ..Plan::default()
    })
    .await;
    let ada = site.sign_in("ada").await;
    let document = ada.get("hub/home").await.text;
    assert!(
        document.contains("/jupyter/hub/") && !document.contains("\"/hub/"),
        "{document}"
    );
    let server = ada.start_and_wait(&serde_json::json!({})).await;
    assert_eq!(server.url, "/jupyter/user/ada/");
    assert_eq!(ada.get("user/ada/lab").await.status, 200);
    let outside = reqwest::get(format!("{}/hub/home", ada.origin())).await.unwrap();
    assert_eq!(outside.status(), 404);
    site.shut_down().await;
}

#[tokio::test]
async fn a_page_that_was_loaded_before_an_upgrade_still_finds_its_files() {
    let mut site = Site::start(Plan::default()).await;
    site.kill_slipway().await;
    let folder = site.path("own-page");
    let config = std::fs::read_to_string(site.path("slipway.toml")).unwrap();
    let assets = slipway_tests::repository().join("dist").display().to_string();
    let config = config.replace(&assets, &folder.display().to_string());
    std::fs::write(site.path("slipway.toml"), config).unwrap();
    for release in ["first", "second", "third"] {
        // Nothing of the release before is left in its place.
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(format!("frontend-{release}.js")), release).unwrap();
        std::fs::write(
            folder.join("index.html"),
            format!("<!doctype html><title>{release}</title>"),
        )
        .unwrap();
        site.start_slipway().await;
        let pages = site.path("slipway.pages");
        until("the page to be kept", || async {
            let kept = std::fs::read_dir(&pages).into_iter().flatten().flatten();
            let mut whole = kept.filter(|folder| folder.file_name().len() == 12);
            whole.find(|folder| folder.path().join(format!("frontend-{release}.js")).exists())
        })
        .await;
        site.kill_slipway().await;
        std::fs::rename(&folder, site.path(release)).unwrap();
    }
    std::fs::rename(site.path("third"), &folder).unwrap();
    site.start_slipway().await;
    let anybody = site.anonymous();
    assert!(anybody.navigate("hub/login").await.text.contains("<title>third"));
    for (release, status) in [("first", 404), ("second", 200), ("third", 200)] {
        let reply = anybody.get(&format!("hub/frontend-{release}.js")).await;
        assert_eq!(reply.status, status, "{release}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_s_path_without_its_slash_leads_to_the_one_with_it() {
    let site = Site::start(Plan::default()).await;
    let person = site.anonymous();
    let reply = person.navigate("user/ada?reset=1").await;
    assert_eq!(
        (reply.status, &reply.headers["location"]),
        (303, &"/user/ada/?reset=1".parse().unwrap())
    );
    site.shut_down().await;
}
