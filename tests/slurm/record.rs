//! `make record`: what real Slurm answers where a site has more than the tests' cluster, written to `recorded/`.

#![expect(clippy::unwrap_used, reason = "what cannot be recorded ends the run")]

use std::cell::RefCell;
use std::fmt::Write as _;

use serde_json::{Value, json};
use slipway_tests::{RealSlurm, Variant, repository, tls, until};

/// Asks one cluster and writes down what it answers.
struct Recorder<'a> {
    slurm: &'a RealSlurm,
    http: reqwest::Client,
    url: String,
    api: &'static str,
    lines: &'a RefCell<String>,
}

impl Recorder<'_> {
    /// Asks, and keeps the exchange if the step has a name. Tokens are never kept.
    async fn ask(&self, step: &str, user: &str, method: &str, path: &str, body: Value) -> Value {
        let said = self
            .slurm
            .ctl(&["scontrol", "token", &format!("username={user}")])
            .await;
        let mut request = self
            .http
            .request(method.parse().unwrap(), format!("{}{path}", self.url))
            .header("X-SLURM-USER-NAME", user)
            .header("X-SLURM-USER-TOKEN", said.trim().trim_start_matches("SLURM_JWT="));
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let text = answer.text().await.unwrap();
        let response: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if !step.is_empty() {
            let request = json!({ "method": method, "url": path, "user": user, "body": body });
            let line = json!({ "step": step, "request": request, "status": status, "content_type": kind, "response": response });
            writeln!(self.lines.borrow_mut(), "{line}").unwrap();
        }
        response
    }

    async fn get(&self, step: &str, noun: &str) -> Value {
        let path = format!("/slurm/{}/{noun}", self.api);
        self.ask(step, "slipway", "GET", &path, Value::Null).await
    }

    /// Submits a job that differs in this from an ordinary one; its number, if Slurm took it.
    async fn submit(&self, step: &str, user: &str, change: Value) -> Option<u64> {
        let mut job = json!({
            "name": "recorded",
            "account": if user == "bob" { "rrg-prof_cpu" } else { "def-alice_cpu" },
            "partition": "cpubase_interac",
            "current_working_directory": format!("/home/{user}"),
            "environment": ["PATH=/usr/bin:/bin"],
            "cpus_per_task": 2,
            "memory_per_node": { "set": true, "infinite": false, "number": 500 },
            "time_limit": { "set": true, "infinite": false, "number": 10 },
            "script": "#!/bin/bash\nexec sleep 600\n",
        });
        let job_fields = job.as_object_mut().unwrap();
        job_fields.extend(change.as_object().unwrap().clone());
        let path = format!("/slurm/{}/job/submit", self.api);
        let answer = self.ask(step, user, "POST", &path, json!({ "job": job })).await;
        answer["job_id"].as_u64()
    }

    /// A job, once it runs.
    async fn running(&self, step: &str, id: u64) {
        let noun = format!("job/{id}");
        until("its start", || async {
            let answer = self.get("", &noun).await;
            (answer["jobs"][0]["job_state"] == json!(["RUNNING"])).then_some(())
        })
        .await;
        self.get(step, &noun).await;
    }

    async fn everything(&self) {
        let number = |number: u64| json!({ "set": true, "infinite": false, "number": number });
        self.get("diag", "diag").await;
        self.get("node_drained", "node/c3").await;
        self.get("reservation_of_an_account", "reservations").await;
        self.submit("enforceALL_too_long", "alice", json!({ "time_limit": number(481) }))
            .await;
        self.submit("enforceALL_too_many_cpus", "alice", json!({ "cpus_per_task": 64 }))
            .await;
        self.submit("lua_refused", "bob", json!({ "account": "rpp-x" })).await;
        let rewritten = self
            .submit("lua_rewritten", "bob", json!({ "time_limit": number(120) }))
            .await;
        self.running("lua_rewritten_job", rewritten.unwrap()).await;
        let shards = json!({ "partition": "gpubase_interac", "tres_per_node": "gres/shard:2" });
        let shared = self.submit("shards_submit", "alice", shards).await;
        self.running("shards_job", shared.unwrap()).await;
        self.get("shards_node", "node/g1").await;
        self.submit("", "alice", json!({ "dependency": "singleton" })).await;
        let body = json!({ "job_name": "recorded", "user_name": "alice", "signal": "URG", "flags": ["VERBOSE"] });
        let path = format!("/slurm/{}/jobs/", self.api);
        self.ask("ids_by_name", "alice", "DELETE", &path, body).await;
        self.slurm
            .ctl(&["scancel", "--user=alice", "--name=recorded", "--full"])
            .await;
    }
}

#[tokio::main]
async fn main() {
    for (release, apis) in [("24.11", &["v0.0.42"][..]), ("26.05", &["v0.0.42", "v0.0.45"])] {
        let variants = [Variant::EnforcePartLimits, Variant::JobSubmitLua, Variant::Shards];
        let slurm = RealSlurm::start_with(release, &variants).await;
        let folder = tempfile::tempdir().unwrap();
        let (tls_url, ca) = tls::in_front_of(slurm.address(), folder.path()).await;
        let ca = reqwest::Certificate::from_pem(&std::fs::read(ca).unwrap()).unwrap();
        for api in apis {
            let lines = RefCell::new(String::new());
            let http = reqwest::Client::builder().no_proxy().tls_certs_only([ca.clone()]);
            let mut recorder = Recorder {
                slurm: &slurm,
                http: http.build().unwrap(),
                url: slurm.url.clone(),
                api,
                lines: &lines,
            };
            recorder.everything().await;
            recorder.url.clone_from(&tls_url);
            recorder.get("tls_ping", "ping").await;
            recorder.get("tls_partitions", "partitions").await;
            let file = format!("tests/slurm/recorded/{release}-{api}-variants.jsonl");
            std::fs::write(repository().join(file), lines.into_inner()).unwrap();
        }
        slurm.shut_down().await;
    }
}
