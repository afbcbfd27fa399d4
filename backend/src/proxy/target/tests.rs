use std::sync::atomic::AtomicUsize;

use futures_util::StreamExt;
use http_body_util::BodyExt;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::*;

/// Connections at once.
const MOST: usize = 2;

type Connection = TlsStream<TcpStream>;

/// A server of bytes, which hands its connections to the test.
struct Server {
    target: Arc<Target>,
    connections: mpsc::UnboundedReceiver<Connection>,
    accepted: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["slipway".to_owned()]).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![made.cert.der().clone()],
                PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap(),
            )
            .unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let client = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Arc::new(Target::new(listener.local_addr().unwrap(), Arc::new(client), MOST));
        let (hand_over, connections) = mpsc::unbounded_channel();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        tokio::spawn(async move {
            let tls = TlsAcceptor::from(Arc::new(server));
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                hand_over.send(tls.accept(stream).await.unwrap()).unwrap();
            }
        });
        Self {
            target,
            connections,
            accepted,
        }
    }

    async fn next(&mut self) -> Connection {
        self.connections.recv().await.unwrap()
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Asks, and answers with these bytes on the connection given, or on the next new one.
    async fn exchange(&mut self, on: Option<Connection>, answer: &[u8]) -> (Response<Answer>, Connection) {
        let target = Arc::clone(&self.target);
        let asked = tokio::spawn(async move { target.send(get()).await });
        let mut connection = match on {
            Some(connection) => connection,
            None => self.next().await,
        };
        let head = read_head(&mut connection).await;
        assert_eq!(head, "GET /user/ada/x?y=%2F HTTP/1.1\r\nhost: hub\r\n\r\n");
        connection.write_all(answer).await.unwrap();
        (asked.await.unwrap().unwrap(), connection)
    }
}

fn get() -> Request<Body> {
    let request = Request::get("/user/ada/x?y=%2F").header("host", "hub");
    request.body(Body::empty()).unwrap()
}

async fn read_head(connection: &mut Connection) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn whole(response: Response<Answer>) -> Vec<u8> {
    response.into_body().collect().await.unwrap().to_bytes().into()
}

const SHORT: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";

#[tokio::test]
async fn a_connection_is_used_again_however_the_end_of_an_answer_is_told() {
    let mut server = Server::start().await;
    let mut connection = None;
    for answer in [SHORT, CHUNKED, b"HTTP/1.1 204 No Content\r\n\r\n", SHORT] {
        let (response, on) = server.exchange(connection, answer).await;
        assert!([0, 2].contains(&whole(response).await.len()));
        connection = Some(on);
    }
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn informational_responses_do_not_pass() {
    let mut server = Server::start().await;
    let hints = b"HTTP/1.1 103 Early Hints\r\nLink: </private/>; rel=preload\r\nX-Accel-Redirect: /private/\r\n\r\n";
    let (response, _connection) = server.exchange(None, &[hints, SHORT].concat()).await;
    assert_eq!((response.status().as_u16(), response.headers().len()), (200, 1));
    assert_eq!(whole(response).await, b"ok");
}

#[tokio::test]
async fn a_connection_is_used_again_when_nobody_asks_for_the_end_of_an_answer_whose_length_was_told() {
    let mut server = Server::start().await;
    let (mut response, connection) = server.exchange(None, SHORT).await;
    let piece = response.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(piece.into_data().unwrap(), "ok");
    drop(response);
    let (response, _connection) = server.exchange(Some(connection), SHORT).await;
    assert_eq!(whole(response).await, b"ok");
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn requests_at_once_have_a_connection_each_and_all_of_them_are_kept() {
    let mut server = Server::start().await;
    let (first, one) = server.exchange(None, SHORT).await;
    let (second, other) = server.exchange(None, SHORT).await;
    whole(first).await;
    whole(second).await;
    // The one used last is taken first.
    let (third, _other) = server.exchange(Some(other), SHORT).await;
    let (fourth, _one) = server.exchange(Some(one), SHORT).await;
    drop((whole(third).await, whole(fourth).await));
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_nobody_used_it_harms_no_request() {
    let mut server = Server::start().await;
    let (response, mut connection) = server.exchange(None, SHORT).await;
    whole(response).await;
    connection.shutdown().await.unwrap();
    drop(connection);
    // The runtime hears of it between two steps.
    tokio::task::yield_now().await;
    let (response, _connection) = server.exchange(None, SHORT).await;
    assert_eq!(whole(response).await, b"ok");
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn a_connection_that_the_server_wants_closed_is_not_used_again() {
    let mut server = Server::start().await;
    let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    let (response, _open) = server.exchange(None, answer).await;
    assert_eq!(whole(response).await, b"ok");
    let (response, _connection) = server.exchange(None, SHORT).await;
    assert_eq!(whole(response).await, b"ok");
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn an_answer_that_nobody_wants_any_more_ends_at_once() {
    let mut server = Server::start().await;
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nonly a piece";
    let (mut response, mut connection) = server.exchange(None, answer).await;
    let piece = response.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(piece.into_data().unwrap(), "only a piece");
    drop(response);
    let ended = connection.read_u8().await.unwrap_err();
    assert_eq!(ended.kind(), std::io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_and_not_an_end() {
    let mut server = Server::start().await;
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly a piece";
    let (response, connection) = server.exchange(None, answer).await;
    drop(connection);
    let pieces: Vec<_> = response.into_body().into_data_stream().collect().await;
    assert!(pieces.last().unwrap().is_err(), "{pieces:?}");
}

#[tokio::test]
async fn trailers_come_through() {
    let mut server = Server::start().await;
    let answer =
        b"HTTP/1.1 200 OK\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n";
    let (response, _connection) = server.exchange(None, answer).await;
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-sum"], "7");
}

#[tokio::test]
async fn an_answer_that_comes_before_all_of_a_request_is_passed_on_and_its_connection_is_not_used_again() {
    let mut server = Server::start().await;
    let (_sender, pieces) = mpsc::channel::<Result<bytes::Bytes, std::io::Error>>(1);
    let endless = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(pieces));
    let request = Request::post("/user/ada/x")
        .header("host", "hub")
        .body(endless)
        .unwrap();
    let target = Arc::clone(&server.target);
    let asked = tokio::spawn(async move { target.send(request).await });
    let mut connection = server.next().await;
    read_head(&mut connection).await;
    let answer = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno";
    connection.write_all(answer).await.unwrap();
    let response = asked.await.unwrap().unwrap();
    assert_eq!((response.status().as_u16(), &*whole(response).await), (413, &b"no"[..]));
    let (response, _connection) = server.exchange(None, SHORT).await;
    assert_eq!(whole(response).await, b"ok");
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_as_that() {
    let server = Server::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = Target {
        address: listener.local_addr().unwrap(),
        tls: server.target.tls.clone(),
        idle: Mutex::default(),
        places: Arc::new(Semaphore::new(MOST)),
        used_at: AtomicI64::new(0),
    };
    drop(listener);
    let refused = Arc::new(nobody).send(get()).await.err().unwrap();
    assert!(matches!(refused, TargetError::Connect(_)), "{refused}");
}

#[tokio::test]
async fn somebody_with_all_their_connections_open_is_told_so_until_one_is_free() {
    let mut server = Server::start().await;
    let (first, _one) = server.exchange(None, SHORT).await;
    let (second, other) = server.exchange(None, SHORT).await;
    let refused = server.target.send(get()).await.err().unwrap();
    assert!(matches!(refused, TargetError::Full), "{refused}");
    whole(second).await;
    let (third, _other) = server.exchange(Some(other), SHORT).await;
    drop((whole(third).await, whole(first).await));
    assert_eq!(server.accepted(), MOST);
}
