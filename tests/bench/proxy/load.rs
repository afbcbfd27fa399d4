//! What is sent, the same on every way.

use std::time::Instant;

use bytes::Bytes;
use futures_util::stream::{self, SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use slipway_tests::person::Tunnel;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::cpu_seconds;

const REQUESTS: usize = 10_000;
const CONNECTIONS: usize = 32;
const SOCKETS: usize = 100;
const ECHOES: usize = 100;
const BULK_MIB: usize = 256;
const MIB: usize = 1 << 20;
const LARGE_SOCKETS: usize = 4;

/// One way to the server.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) name: &'static str,
    /// The process whose CPU and memory count.
    pub(super) pid: u32,
    /// Up to the person's name.
    pub(super) url: String,
    pub(super) cookie: String,
    pub(super) origin: String,
}

impl Way {
    /// One that checks nobody.
    pub(super) fn open(name: &'static str, pid: u32, url: &str) -> Self {
        Self {
            name,
            pid,
            url: format!("{url}/user/ada"),
            cookie: String::new(),
            origin: url.to_owned(),
        }
    }

    /// Small requests on connections that are kept: CPU seconds for ten thousand, and how many a second.
    pub(super) async fn requests(&self) -> (f64, f64) {
        let client = client();
        let tasks = (0..CONNECTIONS).map(|_| {
            let (client, url, cookie) = (client.clone(), format!("{}/bytes/1024", self.url), self.cookie.clone());
            async move {
                for _ in 0..REQUESTS / CONNECTIONS {
                    let response = client.get(&url).header("cookie", &cookie).send().await.unwrap();
                    assert_eq!(response.bytes().await.unwrap().len(), 1024);
                }
            }
        });
        let (cpu, seconds) = self.cost(all(tasks)).await;
        (cpu, per_second(REQUESTS, seconds))
    }

    /// Messages of 1 KiB there and back on a hundred WebSockets: CPU seconds for a hundred thousand, and how many a
    /// second.
    pub(super) async fn echoes(&self) -> (f64, f64) {
        let tasks = (0..SOCKETS).map(|_| {
            let way = self.clone();
            async move {
                let mut socket = way.socket().await;
                let message = Message::binary(vec![7_u8; 1024]);
                for _ in 0..ECHOES {
                    socket.send(message.clone()).await.unwrap();
                    assert_eq!(socket.next().await.unwrap().unwrap().len(), 1024);
                }
            }
        });
        let (cpu, seconds) = self.cost(all(tasks)).await;
        let count = SOCKETS * ECHOES;
        (
            cpu * per_second(100_000, 1.0) / per_second(count, 1.0),
            per_second(count, seconds),
        )
    }

    /// A large file down: CPU seconds, and MiB a second.
    pub(super) async fn down(&self) -> (f64, f64) {
        let request = client().get(format!("{}/bytes/{}", self.url, BULK_MIB * MIB));
        let (cpu, seconds) = self
            .cost(async {
                let response = request.header("cookie", &self.cookie).send().await.unwrap();
                let mut pieces = response.bytes_stream();
                let mut length = 0;
                while let Some(piece) = pieces.next().await {
                    length += piece.unwrap().len();
                }
                assert_eq!(length, BULK_MIB * MIB);
            })
            .await;
        (cpu, per_second(BULK_MIB, seconds))
    }

    /// The same up.
    pub(super) async fn up(&self) -> (f64, f64) {
        let piece = Bytes::from(vec![7_u8; 64 * 1024]);
        let pieces = BULK_MIB * MIB / piece.len();
        let body = stream::iter((0..pieces).map(move |_| Ok::<_, std::io::Error>(piece.clone())));
        let request = client()
            .post(format!("{}/length", self.url))
            .header("cookie", &self.cookie)
            .header("origin", &self.origin)
            .body(reqwest::Body::wrap_stream(body));
        let (cpu, seconds) = self
            .cost(async {
                let response = request.send().await.unwrap();
                assert_eq!(response.text().await.unwrap(), (BULK_MIB * MIB).to_string());
            })
            .await;
        (cpu, per_second(BULK_MIB, seconds))
    }

    /// Messages of 1 MiB there and back on four WebSockets: CPU seconds, and MiB a second one way.
    pub(super) async fn large_messages(&self) -> (f64, f64) {
        let tasks = (0..LARGE_SOCKETS).map(|_| {
            let way = self.clone();
            async move {
                let (mut sender, mut receiver): (SplitSink<Tunnel, Message>, SplitStream<Tunnel>) =
                    way.socket().await.split();
                let message = Message::binary(vec![7_u8; MIB]);
                for _ in 0..BULK_MIB / LARGE_SOCKETS {
                    let (sent, came) = tokio::join!(sender.send(message.clone()), receiver.next());
                    sent.unwrap();
                    assert_eq!(came.unwrap().unwrap().len(), MIB);
                }
            }
        });
        let (cpu, seconds) = self.cost(all(tasks)).await;
        (cpu, per_second(BULK_MIB, seconds))
    }

    /// A WebSocket.
    pub(super) async fn socket(&self) -> Tunnel {
        let url = format!("{}/api/kernels/k/channels", self.url).replace("http://", "ws://");
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("cookie", self.cookie.parse().unwrap());
        request.headers_mut().insert("origin", self.origin.parse().unwrap());
        // Small buffers: thousands of them are in one process here.
        let config = WebSocketConfig::default().read_buffer_size(4096);
        let opened = tokio_tungstenite::connect_async_with_config(request, Some(config), true).await;
        opened.unwrap().0
    }

    /// CPU seconds of the process and seconds of the clock while something is done.
    async fn cost(&self, done: impl Future<Output = ()>) -> (f64, f64) {
        let (before, started) = (cpu_seconds(self.pid), Instant::now());
        done.await;
        (cpu_seconds(self.pid) - before, started.elapsed().as_secs_f64())
    }
}

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(CONNECTIONS);
    client.build().unwrap()
}

async fn all(tasks: impl Iterator<Item = impl Future<Output = ()> + Send + 'static>) {
    for task in tasks.map(tokio::spawn).collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

fn per_second(count: usize, seconds: f64) -> f64 {
    f64::from(u32::try_from(count).unwrap()) / seconds
}
