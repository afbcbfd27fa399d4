//! Real proxies in front, with another application beside Slipway: what a hostile server can make them do directly, it
//! cannot through Slipway.

use std::net::TcpListener;

use serde_json::json;
use slipway_tests::front::FrontProxy;
use slipway_tests::site::free_port;
use slipway_tests::{Person, Plan, Reply, Site, program};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// What a file of another application says, which its proxy serves by internal redirects only.
const SECRET: &str = "report of another application";
/// What the hostile server answers.
const BODY: &str = "from a person's server";

/// A hostile server without Slipway, and the ports of the proxy that is in front of it and of a site.
struct Attack {
    _server: Child,
    server_port: u16,
    /// Leads to the server itself: shows that the attack works.
    direct_port: u16,
    slipway_port: u16,
    /// Keeps that port until Slipway takes it.
    reserved: Option<TcpListener>,
    /// Leads to Slipway.
    front_port: u16,
    folder: Option<TempDir>,
}

impl Attack {
    fn prepare() -> Self {
        let (server_port, folder) = (free_port(), TempDir::new().unwrap());
        std::fs::create_dir(folder.path().join("private")).unwrap();
        std::fs::write(folder.path().join("private/report.txt"), SECRET).unwrap();
        let server = Command::new(program("stub-jupyter"))
            .args([
                "lab",
                "--plain=yes",
                "--ip=127.0.0.1",
                "--ServerApp.base_url=/user/ada/",
            ])
            .arg(format!("--port={server_port}"))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            _server: server,
            server_port,
            direct_port: free_port(),
            slipway_port: reserved.local_addr().unwrap().port(),
            reserved: Some(reserved),
            front_port: free_port(),
            folder: Some(folder),
        }
    }

    fn ports(&self) -> [u16; 2] {
        [self.direct_port, self.front_port]
    }

    /// The site behind the proxy, and ada with a server that runs.
    async fn site(&mut self) -> (Site, Person) {
        self.reserved = None;
        let site = Site::start(Plan {
            port: self.slipway_port,
            front_port: Some(self.front_port),
            ..Plan::default()
        })
        .await;
        let ada = site.sign_in("ada").await;
        ada.start_and_wait(&json!({})).await;
        (site, ada)
    }

    /// Somebody who asks the server without Slipway.
    fn direct(&self) -> Person {
        ada_at(self.direct_port)
    }

    /// And without a proxy.
    fn bare(&self) -> Person {
        ada_at(self.server_port)
    }
}

fn ada_at(port: u16) -> Person {
    let mut person = Person::trusting(&format!("http://127.0.0.1:{port}/"), None);
    "ada".clone_into(&mut person.name);
    person
}

/// Has the server answer with these headers, and asks for that.
async fn answer(person: &Person, name: &str, headers: &[(&str, &str)]) -> Reply {
    let path = person.own(&format!("said/{name}"));
    let said = json!({ "headers": headers, "body": BODY });
    let set = Person::send(person.request(::http::Method::PUT, &path).json(&said)).await;
    assert_eq!(set.status, 200, "{}", set.text);
    person.get(&path).await
}

/// The answer of the server with these headers is stored and given to another visitor if they ask the server directly,
/// and is not through Slipway.
async fn stored_only_directly(attack: &Attack, ada: &Person, site: &Site, headers: &[(&str, &str)]) {
    let direct = attack.direct();
    // A path of its own for each case.
    let words = format!("stored {headers:?}");
    let name: String = words.chars().filter(char::is_ascii_alphanumeric).collect();
    let path = format!("user/ada/said/{name}");
    assert_eq!(answer(&direct, &name, headers).await.text, BODY, "{headers:?}");
    // Only a cache still has that.
    let changed = json!({ "body": "another" });
    let set = Person::send(attack.bare().request(::http::Method::PUT, &path).json(&changed)).await;
    assert_eq!(set.status, 200);
    let stranger = attack.direct();
    assert_eq!(stranger.get(&path).await.text, BODY, "control: not stored, {headers:?}");

    assert_eq!(answer(ada, &name, headers).await.text, BODY, "{headers:?}");
    let reply = site.anonymous().get(&path).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (401, "not_signed_in"),
        "{headers:?}"
    );
    // Nor does what a stranger got stand in the way of ada.
    assert_eq!(ada.get(&path).await.text, BODY, "{headers:?}");
}

#[tokio::test]
async fn nginx_serves_no_internal_file_and_stores_no_answer_for_a_persons_server() {
    let mut attack = Attack::prepare();
    let folder = attack.folder.take().unwrap();
    let server = |port: u16, upstream: u16| {
        format!(
            "server {{
               listen 127.0.0.1:{port};
               location /private/ {{ internal; alias {at}/private/; }}
               location / {{
                 proxy_pass http://127.0.0.1:{upstream}; proxy_set_header Host $http_host; proxy_http_version 1.1;
                 proxy_cache shared; proxy_cache_key $http_host$uri; proxy_cache_valid 200 303 401 10m;
               }}
             }}",
            at = folder.path().display()
        )
    };
    let http = format!(
        "proxy_cache_path {}/cache keys_zone=shared:1m; {}{}",
        folder.path().display(),
        server(attack.direct_port, attack.server_port),
        server(attack.front_port, attack.slipway_port),
    );
    let nginx = FrontProxy::nginx(folder, &attack.ports(), &http).await;
    let ((site, ada), direct) = (attack.site().await, attack.direct());

    let redirect = [("x-accel-redirect", "/private/report.txt")];
    assert_eq!(
        answer(&direct, "file", &redirect).await.text,
        SECRET,
        "control: {}",
        nginx.error_log()
    );
    assert_eq!(answer(&ada, "file", &redirect).await.text, BODY);
    for headers in [
        &[("x-accel-expires", "600")][..],
        &[("cache-control", "public, s-maxage=600")],
        &[("cache-control", "max-age=600")],
        &[("expires", "Thu, 31 Dec 2099 23:59:59 GMT")],
        &[("x-accel-expires", "600"), ("cache-control", "private")],
        // By `proxy_cache_valid`.
        &[],
    ] {
        stored_only_directly(&attack, &ada, &site, headers).await;
    }
    site.shut_down().await;
}

#[tokio::test]
async fn apache_sends_no_file_and_stores_no_answer_for_a_persons_server() {
    let mut attack = Attack::prepare();
    let folder = attack.folder.take().unwrap();
    let at = folder.path().display().to_string();
    let cache = folder.path().join("cache");
    std::fs::create_dir(&cache).unwrap();
    // It may serve as another user.
    std::fs::set_permissions(&cache, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    // Apache httpd crashes where mod_cache stores what mod_xsendfile replaces.
    let host = |port: u16, upstream: u16| {
        format!(
            "<VirtualHost 127.0.0.1:{port}>
               ProxyPreserveHost On
               ProxyPass / http://127.0.0.1:{upstream}/
               CacheRoot {at}/cache
               CacheEnable disk /
               CacheDisable /user/ada/said/file
               CacheIgnoreNoLastMod On
               XSendFile On
               XSendFilePath {at}/private
             </VirtualHost>\n"
        )
    };
    let hosts = host(attack.direct_port, attack.server_port) + &host(attack.front_port, attack.slipway_port);
    let modules = ["proxy", "proxy_http", "cache", "cache_disk", "xsendfile"];
    let apache = FrontProxy::apache(folder, &attack.ports(), &modules, &hosts).await;
    let ((site, ada), direct) = (attack.site().await, attack.direct());

    let file = format!("{at}/private/report.txt");
    let send = [("x-sendfile", file.as_str())];
    assert_eq!(
        answer(&direct, "file", &send).await.text,
        SECRET,
        "control: {}",
        apache.error_log()
    );
    assert_eq!(answer(&ada, "file", &send).await.text, BODY);
    for headers in [
        &[("cache-control", "public, s-maxage=600")][..],
        &[("cache-control", "max-age=600")],
        &[("expires", "Thu, 31 Dec 2099 23:59:59 GMT")],
        &[],
    ] {
        stored_only_directly(&attack, &ada, &site, headers).await;
    }
    site.shut_down().await;
}

#[tokio::test]
async fn haproxy_stores_no_answer_of_a_persons_server() {
    let mut attack = Attack::prepare();
    let folder = attack.folder.take().unwrap();
    let listen = |name: &str, port: u16, upstream: u16| {
        format!(
            "listen {name}\n  bind 127.0.0.1:{port}\n  http-request cache-use shared\n  \
             http-response cache-store shared\n  server one 127.0.0.1:{upstream}\n"
        )
    };
    let sections = format!(
        "defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n\
         cache shared\n  total-max-size 4\n  max-age 600\n{}{}",
        listen("direct", attack.direct_port, attack.server_port),
        listen("front", attack.front_port, attack.slipway_port),
    );
    let _haproxy = FrontProxy::haproxy(folder, &attack.ports(), &sections).await;
    let (site, ada) = attack.site().await;
    for headers in [
        &[("cache-control", "public, s-maxage=600")][..],
        &[("cache-control", "max-age=600")],
        &[("expires", "Thu, 31 Dec 2099 23:59:59 GMT")],
    ] {
        stored_only_directly(&attack, &ada, &site, headers).await;
    }
    site.shut_down().await;
}
