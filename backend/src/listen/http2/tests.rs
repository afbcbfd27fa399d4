use std::convert::Infallible;

use axum::body::{Body, Bytes};
use futures_util::stream;
use http_body_util::BodyExt;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::listen::connections::{Connections, Registered};

const IDLE: Duration = Duration::from_millis(300);
const RATE: MinRate = MinRate {
    bytes: 20_000,
    window: Duration::from_millis(500),
};
const LIMITS: Limits = Limits {
    header_bytes: 64 * 1024,
    rate: Some(RATE),
    idle: Some(IDLE),
    goodbye: IDLE,
};
/// Until then everything has happened that is going to, on the slowest machine.
const LATEST: Duration = Duration::from_secs(20);

fn registered() -> Registered {
    Connections::new(1, 1).add(None).unwrap()
}

/// `/never` answers with a body that never ends, `/large` with one of a mebibyte, `/news` with a line now and then.
async fn answer(request: Request<Incoming>) -> Result<Response, Infallible> {
    let body = match request.uri().path() {
        "/large" => Body::from(vec![b'x'; 1 << 20]),
        "/news" => {
            let news = stream::unfold((), async |()| {
                tokio::time::sleep(RATE.window).await;
                Some((Ok::<_, Infallible>("news\n"), ()))
            });
            Body::from_stream(Box::pin(news))
        }
        _ => Body::from_stream(stream::pending::<Result<Bytes, Infallible>>()),
    };
    Ok(Response::new(body))
}

/// A connection, and its client's end of it with a window of so many bytes for each answer.
async fn open(window: u32) -> (SendRequest<Body>, tokio::task::JoinHandle<hyper::Result<()>>) {
    let (client, server) = tokio::io::duplex(64 * 1024);
    let serving = tokio::spawn(async {
        let (registered, shutdown) = (registered(), CancellationToken::new());
        serve(TokioIo::new(server), registered.connection(), answer, LIMITS, &shutdown).await
    });
    let mut client_http = Builder::new(TokioExecutor::new());
    client_http.initial_stream_window_size(window);
    let (sender, connection) = client_http.handshake(TokioIo::new(client)).await.unwrap();
    tokio::spawn(connection);
    (sender, serving)
}

async fn get(sender: &SendRequest<Body>, path: &str) -> Response<Incoming> {
    let request = Request::get(format!("http://hub{path}")).body(Body::empty()).unwrap();
    sender.clone().send_request(request).await.unwrap()
}

#[tokio::test]
async fn a_connection_ends_on_which_nothing_is_asked() {
    let (_sender, serving) = open(65_535).await;
    let ended = tokio::time::timeout(LATEST, serving).await;
    assert!(ended.is_ok(), "it is kept for ever");
}

#[tokio::test]
async fn a_connection_is_kept_on_which_an_answer_is_under_way() {
    let (sender, mut serving) = open(65_535).await;
    let _answer = get(&sender, "/never").await;
    let ended = tokio::time::timeout(IDLE * 5, &mut serving).await;
    assert!(ended.is_err(), "the answer was broken off");
}

#[tokio::test]
async fn a_client_that_agrees_on_http2_and_does_not_speak_it_is_ended() {
    for hello in [&b""[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let (mut client, server) = tokio::io::duplex(64 * 1024);
        let serving = async {
            let (registered, shutdown) = (registered(), CancellationToken::new());
            serve(TokioIo::new(server), registered.connection(), answer, LIMITS, &shutdown).await
        };
        let silent = async {
            client.write_all(hello).await.unwrap();
            while client.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
        };
        let both = async { tokio::join!(serving, silent) };
        let ended = tokio::time::timeout(LATEST, both).await;
        assert!(ended.is_ok(), "it is kept for ever after {hello:?}");
    }
}

#[tokio::test]
async fn an_answer_that_its_client_does_not_take_is_reset_and_the_others_go_on() {
    let (sender, mut serving) = open(1000).await;
    let news = get(&sender, "/news").await;
    let mut slow = get(&sender, "/large").await.into_body();
    // A client that takes nothing more until its answer has been reset.
    tokio::time::sleep(RATE.window * 3).await;
    let error = loop {
        match slow.frame().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("the answer came whole"),
        }
    };
    assert!(format!("{error:?}").contains("CANCEL"), "{error:?}");
    let mut news = news.into_body();
    for _ in 0..3 {
        assert_eq!(news.frame().await.unwrap().unwrap().into_data().unwrap(), "news\n");
    }
    assert!(!serving.is_finished());
    let whole = get(&sender, "/large").await.into_body().collect().await.unwrap();
    assert_eq!(whole.to_bytes().len(), 1 << 20);
    drop(news);
    let ended = tokio::time::timeout(LATEST, &mut serving).await;
    assert!(ended.is_ok(), "nothing is asked any more");
}

#[tokio::test]
async fn an_answer_that_its_client_takes_at_the_minimum_rate_comes_whole() {
    let (sender, _serving) = open(2048).await;
    let mut fair = get(&sender, "/large").await.into_body();
    let mut length = 0;
    while let Some(frame) = fair.frame().await {
        length += frame.unwrap().into_data().unwrap().len();
        tokio::time::sleep(RATE.window / 200).await;
    }
    assert_eq!(length, 1 << 20);
}
