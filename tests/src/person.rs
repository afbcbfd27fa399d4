//! Somebody with a browser, as far as HTTP can tell: cookies, and an Origin on what changes something.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode};
use reqwest::cookie::{CookieStore, Jar};
use serde_json::{Value, json};
use shared::api::{ErrorView, UserView};
use shared::server::{Phase, ProgressEvent, ServerView};

use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::tls::Authority;
use crate::until;

/// A WebSocket to a person's server.
pub type Tunnel = WebSocketStream<MaybeTlsStream<TcpStream>>;
/// The answer with which it was opened.
pub type TunnelAnswer = tungstenite::handshake::client::Response;
/// Why it was not.
pub type TunnelError = tungstenite::Error;

/// A client of Slipway.
pub struct Person {
    /// The client, with its cookies.
    pub http: reqwest::Client,
    jar: Arc<Jar>,
    base: String,
    /// The name, once signed in.
    pub name: String,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Reply {
    /// The body as JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{} {}: {e}", self.status, self.text))
    }

    /// The code of an error.
    pub fn code(&self) -> String {
        self.json::<Value>()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The body as an error, which says its status itself.
    pub fn error(&self) -> ErrorView {
        let error: ErrorView = self.json();
        assert_eq!(error.status, self.status);
        error
    }

    async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self {
            status,
            headers,
            text: response.text().await.unwrap_or_default(),
        }
    }
}

impl Person {
    /// Not signed in.
    pub fn new(base: &str) -> Self {
        Self::at(base, None, None)
    }

    /// Not signed in, at another address of this machine (`127.0.0.2`), where the system gives it all of them.
    pub fn elsewhere(base: &str, address: impl Into<IpAddr>) -> Self {
        Self::at(base, Some(address.into()), None)
    }

    /// Not signed in, with a browser that believes this authority.
    pub fn trusting(base: &str, authority: Option<&Authority>) -> Self {
        Self::at(base, None, authority)
    }

    fn at(base: &str, address: Option<IpAddr>, authority: Option<&Authority>) -> Self {
        let jar = Arc::new(Jar::default());
        let http = reqwest::Client::builder()
            .local_address(address)
            .cookie_provider(Arc::clone(&jar))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_certs_merge(authority.map(Authority::certificate))
            .build()
            .expect("a client");
        Self {
            http,
            jar,
            base: base.to_owned(),
            name: String::new(),
        }
    }

    /// Signed in already, by these cookies.
    pub fn with_cookies(base: &str, name: &str, cookies: impl IntoIterator<Item = String>) -> Self {
        let person = Self::new(base);
        let url = base.parse().expect("a URL");
        for cookie in cookies {
            person.jar.add_cookie_str(&cookie, &url);
        }
        Self {
            name: name.to_owned(),
            ..person
        }
    }

    /// The URL of a path below the base.
    pub fn url(&self, path: &str) -> String {
        format!("{}{}", self.base, path.trim_start_matches('/'))
    }

    /// What a browser sends as Origin from Slipway's own pages.
    pub fn origin(&self) -> String {
        self.base.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
    }

    /// The `Cookie` header for a path.
    pub fn cookies(&self, path: &str) -> String {
        let url = self.url(path).parse().expect("a URL");
        self.jar
            .cookies(&url)
            .map(|value| value.to_str().unwrap_or_default().to_owned())
            .unwrap_or_default()
    }

    /// A request as our own pages would make it.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let changes = ![Method::GET, Method::HEAD].contains(&method);
        let request = self.http.request(method, self.url(path));
        if changes {
            request.header("origin", self.origin())
        } else {
            request
        }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        Self::send(self.request(Method::GET, path)).await
    }

    /// GET of a response that is read as it comes.
    pub async fn get_stream(
        &self,
        path: &str,
    ) -> impl futures_util::Stream<Item = Result<bytes::Bytes, reqwest::Error>> + Unpin + use<> {
        let response = self.request(Method::GET, path).send().await.expect("Slipway answers");
        assert!(response.status().is_success(), "{path}: {}", response.status());
        Box::pin(response.bytes_stream())
    }

    /// GET as the address bar of a browser does it.
    pub async fn navigate(&self, path: &str) -> Reply {
        Self::send(
            self.request(Method::GET, path)
                .header("sec-fetch-mode", "navigate")
                .header("accept", "text/html"),
        )
        .await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        Self::send(self.request(Method::POST, path).json(body)).await
    }

    /// PUT, without a body.
    pub async fn put(&self, path: &str) -> Reply {
        Self::send(self.request(Method::PUT, path)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Reply {
        Self::send(self.request(Method::DELETE, path)).await
    }

    /// Any request.
    pub async fn send(request: reqwest::RequestBuilder) -> Reply {
        Reply::read(request.send().await.expect("Slipway answers")).await
    }

    /// Signs in by the API.
    pub async fn sign_in(&mut self, name: &str, password: &str) -> Reply {
        let reply = self
            .post("hub/api/login", &json!({ "username": name, "password": password }))
            .await;
        if reply.status == StatusCode::OK {
            self.name = reply.json::<UserView>().name.to_string();
        }
        reply
    }

    /// The path of the person's server in the API.
    pub fn server_path(&self) -> String {
        format!("hub/api/users/{}/server", self.name)
    }

    /// Presses Start.
    pub async fn start(&self, options: &Value) -> Reply {
        self.post(&self.server_path(), options).await
    }

    /// The person's server, the last one included.
    pub async fn server(&self) -> Option<ServerView> {
        let reply = self
            .get(&format!("hub/api/users/{}?include_stopped_servers", self.name))
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json::<UserView>().servers.remove("")
    }

    /// Waits for a phase of the server.
    ///
    /// # Panics
    /// When the server ends instead.
    pub async fn wait_for(&self, phase: Phase) -> ServerView {
        until(&format!("{phase:?}"), || async {
            let server = self.server().await?;
            let ended = server.state.phase == Phase::Ended && phase != Phase::Ended;
            assert!(!ended, "it ended instead: {:?}", server.state.end);
            (server.state.phase == phase).then_some(server)
        })
        .await
    }

    /// Presses Start and waits until the server is ready.
    pub async fn start_and_wait(&self, options: &Value) -> ServerView {
        let reply = self.start(options).await;
        assert_eq!(reply.status, 202, "{}", reply.text);
        self.wait_for(Phase::Ready).await
    }

    /// Every progress event until the last.
    pub async fn progress(&self) -> Vec<ProgressEvent> {
        let reply = self.get(&format!("{}/progress", self.server_path())).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let data = reply.text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|json| serde_json::from_str(json).unwrap_or_else(|e| panic!("{json}: {e}")))
            .collect()
    }

    /// A WebSocket to something on the person's server, and how it was agreed on.
    pub async fn tunnel(&self, rest: &str, protocol: Option<&str>) -> Result<(Tunnel, TunnelAnswer), TunnelError> {
        let url = self.url(&self.own(rest)).replace("http://", "ws://");
        let mut request = url.into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("origin", self.origin().parse().expect("an origin"));
        headers.insert("cookie", self.cookies(&self.own("")).parse().expect("cookies"));
        if let Some(protocol) = protocol {
            headers.insert("sec-websocket-protocol", protocol.parse().expect("a protocol"));
        }
        tokio_tungstenite::connect_async(request).await
    }

    /// The path of something on the person's server.
    pub fn own(&self, rest: &str) -> String {
        format!("user/{}/{rest}", self.name)
    }
}
