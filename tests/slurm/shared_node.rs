//! Another user of the same node reads whatever can be read of a person's running server: every socket, `/proc`, shared
//! memory and temporary files, while cells run in Lab, in a notebook, in a terminal and in an application behind
//! jupyter-server-proxy.

use std::path::Path;

use futures_util::SinkExt;
use serde_json::{Value, json};
use slipway_tests::{Kernel, Person, Plan, RealSlurm, Site, kernel, until};
use tokio_tungstenite::tungstenite::Message;

on_each_release!(a_neighbour_reads_nothing_of_lab_notebook_terminal_and_a_proxied_application,);

const SPY: &str = include_str!("spy.py");
/// alice's number in the cluster.
const ALICE: &str = "2001";

/// An application with a page, on the Unix socket that jupyter-server-proxy chooses.
const APPLICATION: &str = r#"
import http.server, os, socketserver, sys
class Page(http.server.BaseHTTPRequestHandler):
    def address_string(self): return "unix"
    def do_GET(self):
        self.send_response(200); self.end_headers()
        self.wfile.write(os.environ["SPIED_WORD"].encode() + b" in the application")
socketserver.ThreadingUnixStreamServer(sys.argv[1], Page).serve_forever()
"#;

/// As in `slipway.example.toml`; and the set-up lines put a secret into the environment of all that the job runs.
fn plan(word: &str) -> Plan {
    Plan {
        setup: format!("export SPIED_WORD={word}"),
        job: "tcp_kernels = [\"careless\", \"sealed\"]\n".into(),
        more: r#"
[[interface]]
name = "lab"
[[interface]]
name = "viewer"
label = { en = "Viewer", fr = "Visionneuse" }
about = { en = "A page.", fr = "Une page." }
path = "viewer/"
arguments = [
  "--ServerProxy.servers={'viewer': {'command': ['python3', '/home/alice/viewer.py', '{unix_socket}'], 'unix_socket': True}}",
]
"#
        .into(),
        ..Plan::default()
    }
}

/// What a person should not do, so that the spy is known to find it: each word is found by one way only.
const CARELESS: &str = r#"
import os, socket, subprocess, threading, uuid
def serve(name, word):
    listener = socket.socket(socket.AF_UNIX); listener.bind(name); listener.listen()
    if name[0] == "/": os.chmod(name, 0o777)
    def answer():
        while True:
            connection, _ = listener.accept()
            try: connection.sendall(word)
            except OSError: pass # ZeroMQ hangs up as soon as it hears what is none of its own
            finally: connection.close()
    threading.Thread(target=answer, daemon=True).start()
# Clusters on this machine have abstract names in common.
serve(f"\0careless-socket-{uuid.uuid4()}", b"careless" b"-abstract")
serve("/tmp/careless-socket", b"careless" b"-path")
for path, word in (("/tmp/careless", "careless" "-file"), ("/dev/shm/careless", "careless" "-memory")):
    open(path, "w").write(word); os.chmod(path, 0o644)
process = subprocess.Popen(["bash", "-c", "sleep 300; : careless" "-command"])
"#;

/// What a person may do: this is secret in memory that processes share, in temporary files and in environments.
const CAREFUL: &str = r#"
import multiprocessing.shared_memory, os, subprocess, tempfile
word = os.environ["SPIED_WORD"].encode()
memory = multiprocessing.shared_memory.SharedMemory(create=True, size=4096)
memory.buf[:len(word)] = word
file = tempfile.NamedTemporaryFile(); file.write(word); file.flush()
open(os.path.join(tempfile.mkdtemp(), "file"), "wb").write(word)
process = subprocess.Popen(["sleep", "300"], env={"ALSO": os.environ["SPIED_WORD"]})
print([name for name in os.environ if name.startswith("SLIPWAY_") or "PRIVATE KEY" in os.environ[name]], "are secret here")
"#;

async fn as_user(site: &Site, user: &str, command: &str) -> String {
    site.real().ctl(&["as", user, "bash", "-c", command]).await
}

async fn spy(site: &Site, user: &str, arguments: &str) -> String {
    as_user(site, user, &format!("/opt/jupyter/bin/python /tmp/spy.py {arguments}")).await
}

/// Kernels of alice's: `careless` on TCP as ever, `sealed` on TCP with encryption.
async fn prepare(site: &Site) {
    std::fs::write(site.file_of_job("/tmp/spy.py"), SPY).unwrap();
    let home = Path::new("/home/alice");
    for (name, encryption) in [("careless", json!([])), ("sealed", json!(["curve"]))] {
        let folder = home.join(".local/share/jupyter/kernels").join(name);
        as_user(site, "alice", &format!("mkdir -p {}", folder.display())).await;
        let argv = [
            "/opt/jupyter/bin/python",
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
        ];
        let metadata = json!({ "debugger": true, "supported_encryption": encryption });
        let spec = json!({ "argv": argv, "display_name": name, "language": "python", "metadata": metadata });
        let file = site.file_of_job(&folder.join("kernel.json").display().to_string());
        std::fs::write(file, spec.to_string()).unwrap();
    }
    std::fs::write(site.file_of_job("/home/alice/viewer.py"), APPLICATION).unwrap();
}

/// The sockets of alice's processes, as root sees them.
async fn sockets(site: &Site) -> Value {
    let found = spy(site, "root", &format!("sockets {ALICE}")).await;
    serde_json::from_str(&found).unwrap()
}

/// A terminal in which a command runs that prints the secret.
async fn use_terminal(alice: &Person) -> slipway_tests::person::Tunnel {
    let reply = kernel::post(alice, "api/terminals", &json!({})).await;
    let name = reply.json::<Value>()["name"].as_str().unwrap().to_owned();
    let (mut terminal, _) = alice
        .tunnel(&format!("terminals/websocket/{name}"), None)
        .await
        .unwrap();
    let typed = json!(["stdin", "cat <<<\"$SPIED_WORD in the terminal\"\r"]);
    terminal.send(Message::text(typed.to_string())).await.unwrap();
    kernel::read_until(&mut terminal, " in the terminal").await;
    terminal
}

async fn a_neighbour_reads_nothing_of_lab_notebook_terminal_and_a_proxied_application(release: &str) {
    let random: [u8; 8] = backend::keys::random().unwrap();
    let word = format!("spied-{:x}", u64::from_le_bytes(random));
    let site = Site::start_on(RealSlurm::start(release).await, plan(&word)).await;
    prepare(&site).await;
    let alice = site.sign_in("alice").await;
    let job = alice.start_and_wait(&json!({ "interface": "viewer" })).await;
    let job = job.state.job_id.unwrap().to_string();
    for page in ["lab", "tree"] {
        assert_eq!(alice.get(&alice.own(page)).await.status, 200, "{page}");
    }
    let mut lab = Kernel::start(&alice, "python3").await;
    let mut notebook = Kernel::start(&alice, "python3").await;
    let mut sealed = Kernel::start(&alice, "sealed").await;
    let mut careless = Kernel::start(&alice, "careless").await;
    assert_eq!(lab.execute(CAREFUL).await, "[] are secret here\n");
    assert_eq!(careless.execute(CARELESS).await, "");
    let viewer = alice.get(&alice.own("viewer/")).await;
    assert_eq!(viewer.text, format!("{word} in the application"));
    let _terminal = use_terminal(&alice).await;

    // No kernel offers a debugger, and asking for one opens no port.
    let specs: Value = alice.get(&alice.own("api/kernelspecs")).await.json();
    for name in ["python3", "sealed", "careless"] {
        let metadata = &specs["kernelspecs"][name]["spec"]["metadata"];
        assert!(
            metadata["supported_encryption"].is_array() && metadata.get("debugger").is_none(),
            "{specs}"
        );
    }
    let targets = sockets(&site).await;
    assert_eq!(lab.debug().await, ["kernel_info_reply"]);
    assert_eq!(sockets(&site).await["tcp"], targets["tcp"], "a debugger listens");

    // The sockets of kernels and of the application are in folders of alice's own.
    let paths = targets["unix"].to_string();
    for (count, part) in [(10, "-ipc-"), (1, "/jupyter-server-proxy-"), (2, "careless-socket")] {
        assert_eq!(paths.matches(part).count(), count, "{part}: {paths}");
    }

    // Bob connects to everything and listens while cells run.
    std::fs::write(site.file_of_job("/tmp/targets.json"), targets.to_string()).unwrap();
    let listen =
        "setsid /opt/jupyter/bin/python /tmp/spy.py listen /tmp/targets.json /tmp/stop >/tmp/heard 2>&1 </dev/null &";
    as_user(&site, "bob", &format!("umask 077; {listen}")).await;
    let heard = || String::from_utf8_lossy(&std::fs::read(site.file_of_job("/tmp/heard")).unwrap()).into_owned();
    until("bob to listen", || async {
        heard().contains("== LISTENING").then_some(())
    })
    .await;
    careless.execute("print('careless' '-cell')").await;
    let print = "import os; print(os.environ['SPIED_WORD'], 'in a cell'); os.environ['SPIED_WORD']";
    for kernel in [&mut lab, &mut notebook, &mut sealed] {
        let output = kernel.execute(print).await;
        assert!(output.starts_with(&format!("{word} in a cell\n'{word}'")), "{output}");
    }
    until("bob to hear the careless kernel", || async {
        heard().contains("careless-cell").then_some(())
    })
    .await;
    std::fs::write(site.file_of_job("/tmp/stop"), "").unwrap();
    until("bob to stop", || async { heard().contains("== STOPPED").then_some(()) }).await;

    // Then bob reads what there is to read, and asks Slurm.
    let asked =
        format!("scontrol show job -dd {job}; scontrol write batch_script {job} -; sacct -j {job} -l -P; ps -efww");
    let read = [
        heard(),
        spy(&site, "bob", "files").await,
        as_user(&site, "bob", &format!("({asked}) 2>&1 || true")).await,
    ]
    .concat();
    for found in ["abstract", "path", "file", "memory", "command", "cell"] {
        assert!(
            read.contains(&format!("careless-{found}")),
            "the spy does not see {found}: {read}"
        );
    }
    let keys = as_user(&site, "alice", "cat /tmp/sw-*/kernel-*.json").await;
    let keys: Vec<_> = keys
        .split("\"key\": \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(keys.len(), 4, "connection files");
    for secret in [word.as_str(), "PRIVATE KEY"].into_iter().chain(keys) {
        if let Some(at) = read.find(secret) {
            let around = read.get(at.saturating_sub(2000)..at + 200).unwrap_or(&read);
            panic!("bob read {secret}: {around}");
        }
    }

    // Nor does a process of alice's own read the job's key from the environment of another.
    let environments = as_user(&site, "alice", "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'").await;
    assert!(environments.matches("SLURM_JOB_ID=").count() > 4, "{environments}");
    assert!(!environments.contains("PRIVATE KEY"), "{environments}");
    let script = as_user(&site, "alice", &format!("scontrol write batch_script {job} -")).await;
    assert!(
        script.contains("#!/bin/bash") && !script.contains("BEGIN PRIVATE"),
        "{script}"
    );

    // All of it ends with the job.
    let folders = "ls -d /tmp/sw-* /tmp/slipway-* 2>/dev/null || true";
    assert_eq!(as_user(&site, "root", folders).await.lines().count(), 2);
    alice.delete(&alice.server_path()).await;
    until("the folder to be gone", || async {
        as_user(&site, "root", folders).await.is_empty().then_some(())
    })
    .await;
    site.shut_down().await;
}
