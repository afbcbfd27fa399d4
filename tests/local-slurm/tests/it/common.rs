//! A cluster with the people of the recordings, and clients that speak as one of them.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use local_slurm::{AccountConfig, Behaviour, Cluster, ClusterConfig, JobState, JobView, UserConfig};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
pub(crate) const KEY: &[u8] = b"a key of the tests, thirty-two bytes or more";

/// A cluster, the folder its jobs work in, and a client.
pub(crate) struct Bench {
    pub(crate) cluster: Cluster,
    pub(crate) folder: TempDir,
    pub(crate) client: Client,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    /// JSON, or the text as a JSON string.
    pub(crate) body: Value,
}

/// Requests of one person.
pub(crate) struct Role<'a> {
    bench: &'a Bench,
    user: &'a str,
}

/// The people of the recordings, and those that show a behaviour.
pub(crate) fn people() -> Vec<UserConfig> {
    let person = |name: &str, uid, accounts: &[&str], behaviour| UserConfig {
        name: name.into(),
        uid,
        accounts: accounts
            .iter()
            .enumerate()
            .map(|(place, name)| AccountConfig {
                name: (*name).into(),
                default: place == 0,
                max_jobs: (*name == "rpp-x").then_some(1),
                ..AccountConfig::default()
            })
            .collect(),
        behaviour,
        ..UserConfig::default()
    };
    let refused = serde_json::from_value(json!({"refused": {}})).unwrap();
    let normal = Behaviour::Normal;
    vec![
        person(
            "alice",
            2001,
            &["def-alice_cpu", "def-alice_gpu", "rrg-prof_gpu"],
            normal.clone(),
        ),
        person("bob", 2002, &["rrg-prof_cpu", "rrg-prof_gpu", "rpp-x"], normal.clone()),
        person("dave", 2004, &[], normal),
        person(
            "wendy",
            2005,
            &["def-wendy"],
            Behaviour::Waits {
                reason: "QOSGrpGRES".into(),
            },
        ),
        person("rose", 2006, &["def-rose"], refused),
    ]
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_, _| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut ClusterConfig, &Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("slurm.key");
        std::fs::write(&key, KEY).unwrap();
        let mut config = ClusterConfig {
            name: "trixie".into(),
            key: Some(key),
            users: people(),
            service_user: "portal".into(),
            kill_wait_seconds: 0.5,
            ..ClusterConfig::default()
        };
        change(&mut config, folder.path());
        let cluster = Cluster::start(config).await.unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        Self {
            cluster,
            folder,
            client,
        }
    }

    pub(crate) fn role<'a>(&'a self, user: &'a str) -> Role<'a> {
        Role { bench: self, user }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.cluster.url()))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A job of one core and 100 MiB that runs this script in the bench's folder.
    pub(crate) fn job(&self, script: &str) -> Value {
        json!({
            "name": "test",
            "current_working_directory": self.folder.path(),
            "environment": ["PATH=/usr/local/bin:/usr/bin:/bin", "PORTAL=1"],
            "tasks": 1,
            "cpus_per_task": 1,
            "memory_per_node": {"set": true, "infinite": false, "number": 100},
            "time_limit": {"set": true, "infinite": false, "number": 10},
            "standard_output": "%j.out",
            "nodes": "1",
            "requeue": false,
            "script": format!("#!/bin/bash\n{script}\n"),
        })
    }

    /// Waits for a job to be in this state, with no process left of it once it has ended.
    pub(crate) async fn wait(&self, id: u32, state: JobState) -> JobView {
        let is = |job: &JobView| {
            job.state == state && !job.completing && (state != JobState::Running || job.process.is_some())
        };
        let found = self.cluster.wait_for(id, DEADLINE, is).await;
        found.unwrap_or_else(|| panic!("job {id} never was {state:?}: {:?}", self.cluster.job(id)))
    }
}

impl Role<'_> {
    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.bench.request(method, path);
        request
            .header("X-SLURM-USER-NAME", self.user)
            .header("X-SLURM-USER-TOKEN", token(self.user))
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        reply(self.ask(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        reply(self.ask(Method::POST, path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        reply(self.ask(Method::DELETE, path)).await
    }

    pub(crate) async fn delete_with(&self, path: &str, body: &Value) -> Reply {
        reply(self.ask(Method::DELETE, path).json(body)).await
    }

    /// Submits a job that must be taken.
    pub(crate) async fn submit(&self, job: &Value) -> u32 {
        let reply = self.post("/slurm/v0.0.42/job/submit", &json!({"job": job})).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        u32::try_from(reply.body["job_id"].as_u64().unwrap()).unwrap()
    }

    /// The job as `/slurm` shows it.
    pub(crate) async fn job(&self, id: u32) -> Value {
        let mut reply = self.get(&format!("/slurm/v0.0.42/job/{id}")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body["jobs"][0].take()
    }
}

pub(crate) async fn reply(request: RequestBuilder) -> Reply {
    let response = request.timeout(DEADLINE).send().await.unwrap();
    let status = response.status().as_u16();
    let content_type = response
        .headers()
        .get("content-type")
        .map(|value| value.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Reply {
        status,
        content_type: content_type.unwrap_or_default(),
        body,
    }
}

/// Seconds since 1970, moved by so many.
#[expect(clippy::disallowed_methods, reason = "the clock of these tests is the real one")]
pub(crate) fn time(moved: i64) -> i64 {
    let now = std::time::SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    i64::try_from(now).unwrap() + moved
}

pub(crate) fn sign(algorithm: Algorithm, key: &[u8], claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key)).unwrap()
}

pub(crate) fn token(user: &str) -> String {
    sign(Algorithm::HS256, KEY, &json!({"sun": user, "exp": time(60)}))
}

/// Waits for something outside the cluster.
pub(crate) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    until_async(what, || std::future::ready(look())).await
}

/// Waits for something outside the cluster that takes a request to see.
pub(crate) async fn until_async<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "gave up on {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The process ids in a file, once there are so many.
pub(crate) async fn process_ids(file: &Path, count: usize) -> Vec<u32> {
    until("process ids", || {
        let text = std::fs::read_to_string(file).ok()?;
        let ids: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
        (ids.len() == count).then_some(ids)
    })
    .await
}

/// Whether a process runs; a dead one that nobody has buried does not.
pub(crate) fn runs(id: u32) -> bool {
    let ps = std::process::Command::new("ps")
        .args(["-o", "stat=", "-p", &id.to_string()])
        .output()
        .unwrap();
    let state = String::from_utf8(ps.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}
