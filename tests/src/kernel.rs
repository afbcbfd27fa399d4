//! A kernel of a person's Jupyter server, used as a notebook in a browser uses it: through Slipway, over its WebSocket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::Person;
use crate::person::{Reply, Tunnel};

/// How long a kernel may take for one message.
const DEADLINE: Duration = Duration::from_secs(45);

/// A running kernel.
pub struct Kernel {
    /// Jupyter's id of it.
    pub id: String,
    socket: Tunnel,
    sent: u32,
}

/// POST to a person's Jupyter server, with the token against forged requests that its pages have.
pub async fn post(person: &Person, path: &str, body: &Value) -> Reply {
    let lab = person.get(&person.own("lab")).await;
    assert_eq!(lab.status, 200, "{}", lab.text);
    let cookies = person.cookies(&person.own(""));
    let token = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("_xsrf="));
    let request = person.request(Method::POST, &person.own(path)).json(body);
    Person::send(request.header("x-xsrftoken", token.expect("Jupyter sets _xsrf"))).await
}

/// Reads from a WebSocket until it has said this.
pub async fn read_until(socket: &mut Tunnel, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        let message = tokio::time::timeout(DEADLINE, socket.next()).await;
        let message = message.unwrap_or_else(|_| panic!("no {text}: {read}"));
        read += message
            .expect("an open WebSocket")
            .expect("a message")
            .to_text()
            .unwrap_or_default();
    }
    read
}

impl Kernel {
    /// Starts a kernel of this name and connects to it.
    pub async fn start(person: &Person, name: &str) -> Self {
        let reply = post(person, "api/kernels", &json!({ "name": name })).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let id = reply.json::<Value>()["id"].as_str().expect("an id").to_owned();
        let socket = person.tunnel(&format!("api/kernels/{id}/channels"), None).await;
        let (socket, _) = socket.expect("a WebSocket");
        Self { id, socket, sent: 0 }
    }

    /// Sends a message; answers its id.
    pub async fn send(&mut self, channel: &str, kind: &str, content: &Value) -> String {
        self.sent += 1;
        let id = format!("{}-{}", self.id, self.sent);
        let header = json!({ "msg_id": id, "msg_type": kind, "username": "", "session": self.id, "version": "5.3" });
        let message =
            json!({ "channel": channel, "header": header, "parent_header": {}, "metadata": {}, "content": content });
        let sent = self.socket.send(Message::text(message.to_string())).await;
        sent.expect("an open WebSocket");
        id
    }

    /// The next message that belongs to the one with this id.
    ///
    /// # Panics
    /// When there is none in time.
    pub async fn next(&mut self, id: &str) -> Value {
        let next = async {
            loop {
                let message = self.socket.next().await.expect("an open WebSocket").expect("a message");
                let Ok(text) = message.to_text() else { continue };
                let Ok(message) = serde_json::from_str::<Value>(text) else {
                    continue;
                };
                if message["parent_header"]["msg_id"] == id {
                    return message;
                }
            }
        };
        let next = tokio::time::timeout(DEADLINE, next).await;
        next.unwrap_or_else(|_| panic!("the kernel does not answer {id}"))
    }

    /// Runs code; answers what it printed, its result and its errors.
    pub async fn execute(&mut self, code: &str) -> String {
        let content = json!({ "code": code, "silent": false, "store_history": true, "allow_stdin": false });
        let id = self.send("shell", "execute_request", &content).await;
        let mut output = String::new();
        loop {
            let message = self.next(&id).await;
            let content = &message["content"];
            match message["msg_type"].as_str().unwrap_or_default() {
                "stream" => output += content["text"].as_str().unwrap_or_default(),
                "execute_result" => output += content["data"]["text/plain"].as_str().unwrap_or_default(),
                "error" => output += &content.to_string(),
                "status" if content["execution_state"] == "idle" => return output,
                _ => {}
            }
        }
    }

    /// Asks for a debugger and then for the kernel's description: the types of the replies, in the order they came.
    pub async fn debug(&mut self) -> Vec<String> {
        let arguments = json!({ "clientID": "test", "adapterID": "python", "pathFormat": "path" });
        let initialize = json!({ "seq": 1, "type": "request", "command": "initialize", "arguments": arguments });
        let debug = self.send("control", "debug_request", &initialize).await;
        let info = self.send("control", "kernel_info_request", &json!({})).await;
        let mut replies = Vec::new();
        while replies.last().is_none_or(|last| last != "kernel_info_reply") {
            let message = tokio::time::timeout(DEADLINE, self.socket.next()).await;
            let message = message
                .expect("an answer in time")
                .expect("an open WebSocket")
                .expect("a message");
            let message: Value = serde_json::from_str(message.to_text().unwrap_or_default()).unwrap_or_default();
            let to = &message["parent_header"]["msg_id"];
            if message["channel"] == "control" && (*to == debug || *to == info) {
                replies.push(message["msg_type"].as_str().unwrap_or_default().to_owned());
            }
        }
        replies
    }
}
