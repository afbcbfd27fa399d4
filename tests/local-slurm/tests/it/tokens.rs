//! Whose token is taken: HS256 with Slurm's key, RS256 with a public key of a set.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::{Bench, KEY, Reply, reply, sign, time, token};

const JOBS: &str = "/slurm/v0.0.42/jobs";
const ASSOCIATIONS: &str = "/slurmdb/v0.0.42/associations?user=alice";

async fn with_token(bench: &Bench, path: &str, token: &str, name: Option<&str>) -> Reply {
    let request = bench.request(Method::GET, path).header("X-SLURM-USER-TOKEN", token);
    reply(
        name.into_iter()
            .fold(request, |request, name| request.header("X-SLURM-USER-NAME", name)),
    )
    .await
}

#[tokio::test]
async fn tokens_that_slurm_refuses_are_refused_with_its_errors() {
    let bench = Bench::start().await;
    let good = json!({"sun": "alice", "exp": time(60)});
    let hs256 = |claims: Value| sign(Algorithm::HS256, KEY, &claims);
    let none = "eyJhbGciOiJub25lIn0.eyJzdW4iOiJhbGljZSIsImV4cCI6OTk5OTk5OTk5OX0.";
    let table = [
        ("expired", hs256(json!({"sun": "alice", "exp": time(-1)})), "alice"),
        ("another key", sign(Algorithm::HS256, b"another key", &good), "alice"),
        ("HS512", sign(Algorithm::HS512, KEY, &good), "alice"),
        ("without exp", hs256(json!({"sun": "alice"})), "alice"),
        ("without a user", hs256(json!({"exp": time(60)})), "alice"),
        ("for somebody else", token("bob"), "alice"),
        ("not signed", none.into(), "alice"),
        ("no token at all", "nonsense".into(), "alice"),
    ];
    for (what, token, name) in table {
        let slurm = with_token(&bench, JOBS, &token, Some(name)).await;
        assert_eq!(
            (slurm.status, &slurm.body["errors"][0]["error_number"]),
            (511, &json!(1007)),
            "{what}"
        );
        let slurmdb = with_token(&bench, ASSOCIATIONS, &token, Some(name)).await;
        assert_eq!(
            (slurmdb.status, &slurmdb.body["errors"][0]["error_number"]),
            (502, &json!(7000)),
            "{what}"
        );
        let ping = with_token(&bench, "/slurm/v0.0.42/ping", &token, Some(name)).await;
        assert_eq!(
            (ping.status, &ping.body["pings"][0]["pinged"]),
            (200, &json!("DOWN")),
            "{what}"
        );
    }
    let submitted = bench
        .request(Method::POST, "/slurm/v0.0.42/job/submit")
        .json(&json!({"job": bench.job("true")}));
    assert_eq!(reply(submitted.bearer_auth("nonsense")).await.status, 511);
    assert_eq!(bench.cluster.job(1), None);
}

#[tokio::test]
async fn tokens_that_slurm_takes_are_taken() {
    let bench = Bench::start().await;
    let hs256 = |claims: Value| sign(Algorithm::HS256, KEY, &claims);
    let table = [
        ("sun", token("alice"), Some("alice")),
        ("without a name", token("alice"), None),
        (
            "username",
            hs256(json!({"username": "alice", "exp": time(60)})),
            Some("alice"),
        ),
        (
            "issued later",
            hs256(json!({"sun": "alice", "exp": time(60), "iat": time(30)})),
            Some("alice"),
        ),
        (
            "other claims",
            hs256(json!({"sun": "alice", "exp": time(60), "aud": "x"})),
            Some("alice"),
        ),
        ("somebody without an account", token("ghost"), Some("ghost")),
    ];
    for (what, token, name) in table {
        assert_eq!(with_token(&bench, JOBS, &token, name).await.status, 200, "{what}");
    }
    let bearer = bench.request(Method::GET, JOBS).bearer_auth(token("alice"));
    assert_eq!(reply(bearer).await.status, 200);
}

#[tokio::test]
async fn with_a_key_set_rs256_tokens_of_a_known_key_are_taken_and_hs256_ones_are_not() {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let base64 = base64::engine::general_purpose::STANDARD.encode(pair.as_der().unwrap().as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
    let private = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    let mut public = Jwk::from_encoding_key(&private, Algorithm::RS256).unwrap();
    public.common.key_id = Some("slipway-1".into());
    let set = json!({"keys": [public]});
    let bench = Bench::start_with(|config, folder| {
        config.key = None;
        config.jwks = Some(folder.join("jwks.json"));
        std::fs::write(folder.join("jwks.json"), set.to_string()).unwrap();
    })
    .await;
    let signed = |kid: Option<&str>| {
        let header = Header {
            kid: kid.map(Into::into),
            ..Header::new(Algorithm::RS256)
        };
        encode(&header, &json!({"sun": "alice", "exp": time(60)}), &private).unwrap()
    };
    for (token, status) in [
        (signed(Some("slipway-1")), 200),
        (signed(Some("another")), 511),
        (signed(None), 511),
        (token("alice"), 511),
    ] {
        assert_eq!(with_token(&bench, JOBS, &token, Some("alice")).await.status, status);
    }
}

#[tokio::test]
async fn a_name_that_is_nobodys_is_read_as_a_uid() {
    let bench = Bench::start_with(|config, _| {
        // Their name is a number, and not their own.
        config.users[1].name = "2004".into();
    })
    .await;
    let id = bench.role("alice").submit(&bench.job("sleep 600")).await;
    let update = async |name: &str| {
        let path = format!("/slurm/v0.0.42/job/{id}");
        bench.role(name).post(&path, &json!({"comment": name})).await.status
    };
    for (name, status) in [
        ("2001", 200),
        ("+2001", 200),
        ("0", 200),
        ("0x7d1", 500),
        ("2004", 500),
        ("2002", 500),
        ("99", 500),
    ] {
        assert_eq!(update(name).await, status, "{name}");
    }
    let job = bench.role("2004").submit(&bench.job("sleep 600")).await;
    assert_eq!(bench.role("alice").job(job).await["user_id"], 2002);
    // A query's number is a uid, whoever has it as a name.
    let live = bench.role("alice").get("/slurmdb/v0.0.42/jobs/?users=2004").await;
    assert_eq!(live.body["jobs"], json!([]));
    let live = bench.role("alice").get("/slurmdb/v0.0.42/jobs/?users=2002").await;
    assert_eq!(live.body["jobs"][0]["job_id"], job);
}
