//! Another user of the same node, who wants to read or to answer for a person's server: before it is there, while it
//! runs, and after it has gone.

use serde_json::json;
use shared::server::Phase;
use slipway_tests::{Plan, RealSlurm, Site, until};

on_each_release!(a_neighbour_on_the_node_can_neither_answer_nor_be_answered,);

/// Listens with TLS and a certificate of its own, answers everybody, and writes down what it was told.
const LISTENER: &str = r#"
import http.server, ssl, subprocess, sys
subprocess.check_call("openssl req -x509 -newkey rsa:2048 -nodes -keyout /tmp/bob.key -out /tmp/bob.crt -days 2 -subj /CN=slipway"
    " -addext subjectAltName=DNS:slipway", shell=True, stderr=subprocess.DEVNULL)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("TOLD", self.path, self.headers, flush=True)
        self.send_response(200); self.end_headers(); self.wfile.write(b"bob was here")
class Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tmp/bob.crt", "/tmp/bob.key")
while True:
    try: server = Server(("127.0.0.1", int(sys.argv[1])), Answer); break
    except OSError: pass
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print("LISTENS", flush=True)
server.serve_forever()
"#;

/// Asks a port as a browser would, without Slipway's certificate; says how it came out.
const CALLER: &str = r#"
import http.client, ssl, sys
try:
    call = http.client.HTTPSConnection("127.0.0.1", int(sys.argv[1]), timeout=10, context=ssl._create_unverified_context())
    call.request("GET", "/user/alice/api/status")
    print("ANSWERED", call.getresponse().status)
except (OSError, http.client.HTTPException) as error:
    print("REFUSED", type(error).__name__)
"#;

async fn as_bob(site: &Site, code: &str, port: u16) -> String {
    let port = port.to_string();
    site.real().ctl(&["as", "bob", "python3", "-c", code, &port]).await
}

/// Bob listens from now on, or as soon as the port is free; what he hears is in this file.
async fn bob_listens(site: &Site, port: u16, log: &str) {
    std::fs::write(site.file_of_job("/tmp/listener.py"), LISTENER).unwrap();
    let command = format!("setsid python3 /tmp/listener.py {port} >{log} 2>&1 </dev/null &");
    site.real().ctl(&["as", "bob", "bash", "-c", &command]).await;
}

fn heard(site: &Site, log: &str) -> String {
    std::fs::read_to_string(site.file_of_job(log)).unwrap_or_default()
}

async fn a_neighbour_on_the_node_can_neither_answer_nor_be_answered(release: &str) {
    let mut slurm = RealSlurm::start(release).await;
    slurm.use_stub();
    let site = Site::start_on(slurm, Plan::default()).await;
    let alice = site.sign_in("alice").await;
    let config = std::fs::read_to_string(site.path("slipway.toml")).unwrap();
    let first = config.split("ports = [").nth(1).unwrap().split(',').next().unwrap();
    // Where the first job of a cluster goes first.
    let wanted = first.parse::<u16>().unwrap() + 1;

    // Before: the port is taken, and the server goes elsewhere.
    bob_listens(&site, wanted, "/tmp/before.log").await;
    until("bob to listen", || async {
        heard(&site, "/tmp/before.log").contains("LISTENS").then_some(())
    })
    .await;
    let ready = alice.start_and_wait(&json!({})).await;
    let job = ready.state.job_id.unwrap().to_string();
    let shown = site.real().ctl(&["scontrol", "show", "job", &job]).await;
    let told = shown.split("\"port\":").nth(1).unwrap().split(',').next();
    let port: u16 = told.unwrap().parse().unwrap();
    assert_ne!(port, wanted);
    assert_eq!(alice.get("user/alice/lab").await.status, 200);
    assert!(
        !heard(&site, "/tmp/before.log").contains("TOLD"),
        "bob was told something"
    );

    // While it runs: no answer without Slipway's certificate, and nothing to read.
    assert!(
        as_bob(&site, CALLER, wanted).await.contains("ANSWERED 200"),
        "the caller works"
    );
    let refused = as_bob(&site, CALLER, port).await;
    assert!(refused.starts_with("REFUSED"), "{refused}");
    let seen = site
        .real()
        .ctl(&[
            "as",
            "bob",
            "bash",
            "-c",
            "ps -efww; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'",
        ])
        .await;
    assert!(seen.contains("stub-jupyter"), "{seen}");
    let secrets = ["PRIVATE KEY", "SLIPWAY_SERVER_KEY"];
    assert!(secrets.iter().all(|secret| !seen.contains(secret)), "{seen}");
    let folder = seen.split("--ServerApp.keyfile=").nth(1).unwrap();
    let key = folder.split_whitespace().next().unwrap();
    let read = format!("cat '{key}' && echo READ || echo DENIED");
    assert!(
        site.real()
            .ctl(&["as", "bob", "bash", "-c", &read])
            .await
            .ends_with("DENIED\n")
    );

    // After: bob takes the port the moment it is free, and nobody believes him.
    bob_listens(&site, port, "/tmp/after.log").await;
    site.real().ctl(&["pkill", "-KILL", "-f", "bin/stub-jupyter"]).await;
    until("bob to have the port", || async {
        heard(&site, "/tmp/after.log").contains("LISTENS").then_some(())
    })
    .await;
    until("the server to be known to be over", || async {
        let reply = alice.get("user/alice/lab").await;
        assert!([503, 424].contains(&reply.status), "{} {}", reply.status, reply.text);
        (reply.status == 424).then_some(())
    })
    .await;
    alice.wait_for(Phase::Ended).await;
    assert!(
        !heard(&site, "/tmp/after.log").contains("TOLD"),
        "bob was told something"
    );
    site.shut_down().await;
}
