//! Tunnels: the server answers first, then bytes go both ways until one end, the sign-in or the job ends.

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use slipway_tests::Person;
use slipway_tests::person::{Tunnel, TunnelAnswer};
use tokio_tungstenite::tungstenite::Message;

use crate::ready;

const JUPYTER: &str = "v1.kernel.websocket.jupyter.org";

async fn open(person: &Person, protocol: Option<&str>) -> (Tunnel, TunnelAnswer) {
    person.tunnel("api/kernels/k/channels", protocol).await.unwrap()
}

#[tokio::test]
async fn the_sub_protocol_is_the_one_that_the_server_chose() {
    let (site, ada) = ready().await;
    let (_, answer) = open(&ada, Some(&format!("other, {JUPYTER}"))).await;
    assert_eq!(answer.headers()["sec-websocket-protocol"], JUPYTER);
    let (_, answer) = open(&ada, None).await;
    assert!(!answer.headers().contains_key("sec-websocket-protocol"));
    site.shut_down().await;
}

#[tokio::test]
async fn texts_and_large_messages_come_back_as_they_were() {
    let (site, ada) = ready().await;
    let (mut socket, _) = open(&ada, Some(JUPYTER)).await;
    for message in [
        Message::text("print('é')"),
        Message::binary(vec![7_u8; 8 << 20]),
        Message::text(""),
    ] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    site.shut_down().await;
}

#[tokio::test]
async fn a_refused_upgrade_is_answered_as_the_server_answered_it() {
    let (site, ada) = ready().await;
    let request = ada
        .http
        .get(ada.url("user/ada/api/kernels/k/channels"))
        .header("origin", ada.origin())
        .header("connection", "Upgrade")
        .header("upgrade", "websocket");
    // No key and no version: the server behind refuses it.
    let reply = Person::send(request).await;
    assert!((400..500).contains(&reply.status), "{}", reply.status);
    site.shut_down().await;
}

#[tokio::test]
async fn a_tunnel_ends_with_its_sign_in() {
    let (site, ada) = ready().await;
    let (mut socket, _) = open(&ada, Some(JUPYTER)).await;
    ada.post("hub/api/logout", &json!({})).await;
    let ended = tokio::time::timeout(std::time::Duration::from_secs(10), socket.next()).await;
    assert!(
        matches!(ended, Ok(None | Some(Err(_) | Ok(Message::Close(_))))),
        "{ended:?}"
    );
    site.shut_down().await;
}

#[tokio::test]
async fn a_tunnel_ends_with_its_job() {
    let (site, ada) = ready().await;
    let (mut socket, _) = open(&ada, Some(JUPYTER)).await;
    ada.delete(&ada.server_path()).await;
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), socket.next()).await;
    assert!(
        matches!(ended, Ok(None | Some(Err(_) | Ok(Message::Close(_))))),
        "{ended:?}"
    );
    site.shut_down().await;
}
