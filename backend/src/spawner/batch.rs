//! From options to the job that Slurm gets.

use std::collections::BTreeMap;

use shared::names::{SlurmName, UserName};
use shared::options::{Gpus, SpawnRequest};

use super::comment::JobComment;
use super::keys::{JobKeys, KeyFailure};
use crate::config::{Config, Route};
use crate::look::Language;
use crate::slurm::JobDescription;

/// The batch script, the same for everybody.
const SCRIPT: &str = include_str!("batch.sh");
/// What JupyterLab is given besides, to say when the time is nearly over.
const LAB: &str = include_str!("lab.js");
/// The extension of Jupyter Server that chooses the transport of kernels and turns the debugger off.
const EXTENSION: &str = include_str!("server_extension.py");

/// Exit codes of the script itself, chosen where neither shells nor Jupyter have any.
pub(super) mod exit {
    pub(crate) const SETUP_FAILED: i64 = 81;
    pub(crate) const JUPYTER_MISSING: i64 = 82;
    pub(crate) const NO_PORT: i64 = 83;
    pub(crate) const PORT_NOT_TOLD: i64 = 84;
    pub(crate) const NO_FOLDER: i64 = 85;
    pub(crate) const MODULE_MISSING: i64 = 86;
    pub(crate) const HOME_MISSING: i64 = 87;
    pub(crate) const HOME_FULL: i64 = 88;
    pub(crate) const SOCKET_PATH_TOO_LONG: i64 = 89;
}

/// The job for these options; with fresh settings, Jupyter does not see the person's own, this once.
pub(super) fn describe(
    config: &Config,
    keys: &JobKeys,
    user: &UserName,
    request: &SpawnRequest,
    comment: &JobComment,
    fresh_settings: bool,
) -> Result<JobDescription, KeyFailure> {
    let options = &request.options;
    let interface = config.interface(&options.interface);
    let lines = interface.map(crate::config::Interface::lines).unwrap_or_default();
    let arguments = interface.map(|interface| interface.arguments.join("\n"));
    let home = config.identity.home_of(user);
    let server = keys.server(&comment.key, user, &comment.nonce)?;
    let client = keys.client(&comment.key)?;
    let base = config.server.base();
    let [first, last] = config.job.ports;
    let mut environment = BTreeMap::from([("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned())]);
    environment.extend(config.job.environment.clone());
    // Slurm sets none of these three (24.11, 26.05).
    environment.extend([
        ("HOME".into(), home.clone()),
        ("USER".into(), user.to_string()),
        ("LOGNAME".into(), user.to_string()),
    ]);
    environment.extend(
        [
            ("SERVER_KEY", server.key_pem().to_owned()),
            ("SERVER_CERTIFICATE", server.certificate_pem()),
            ("CLIENT_CERTIFICATE", client.certificate_pem()),
            ("SETUP", format!("{}\n{lines}", config.job.setup)),
            ("ARGUMENTS", arguments.unwrap_or_default()),
            ("JUPYTER", config.job.jupyter.clone()),
            ("BASE", base.trim_end_matches('/').to_owned()),
            (
                "HUB",
                if config.server.is_split() {
                    config.server.origin().to_owned()
                } else {
                    String::new()
                },
            ),
            ("BIND", config.job.bind.to_string()),
            ("FIRST_PORT", first.to_string()),
            ("LAST_PORT", last.to_string()),
            ("COMMENT", comment.write()),
            ("LAB", LAB.to_owned()),
            ("EXTENSION", EXTENSION.to_owned()),
            ("KERNELS", kernel_settings(&config.job)),
            ("RUNTIME_DIR", config.job.runtime_dir.clone()),
            ("LANGUAGE", comment.language.map_or("", locale).to_owned()),
            ("FRESH", if fresh_settings { "1" } else { "" }.to_owned()),
        ]
        .map(|(name, value)| (format!("SLIPWAY_{name}"), value)),
    );
    Ok(JobDescription {
        name: config.job.name.clone(),
        account: request.charge.clone(),
        partition: partition(config, request),
        qos: config.job.qos.clone(),
        wckey: config.job.wckey.clone(),
        reservation: options.reservation.as_ref().map(ToString::to_string),
        constraints: (!options.features.is_empty()).then(|| {
            let names: Vec<_> = options.features.iter().map(SlurmName::as_str).collect();
            names.join("&")
        }),
        time: options.time.get(),
        cores: options.cores.get(),
        memory: options.memory.get(),
        tres_per_node: options.gpu.as_ref().map(Gpus::to_tres),
        comment: comment.write(),
        output: format!("{home}/{}", config.job.output),
        directory: home,
        environment,
        script: SCRIPT,
    })
}

/// What the extension reads, as JSON. Jupyter's names of kernels are in lower case.
fn kernel_settings(job: &crate::config::Job) -> String {
    let tcp_kernels: Vec<_> = job.tcp_kernels.iter().map(|name| name.to_lowercase()).collect();
    serde_json::json!({ "debugger": job.debugger, "tcp_kernels": tcp_kernels }).to_string()
}

/// The name of a language's pack for JupyterLab.
fn locale(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Fr => "fr_FR",
    }
}

/// The chosen partition; or of those that are configured, or that a way is named to lead to, those in which it fits.
fn partition(config: &Config, request: &SpawnRequest) -> Option<String> {
    let chosen = request.options.partition.as_ref().map(ToString::to_string);
    let gpu = request.options.gpu.is_some();
    let leads = |route: &Route| route.named && route.gpu.is_none_or(|only| only == gpu);
    let is_named = config.job.partition.is_some() || config.routes.iter().any(leads);
    chosen.or_else(|| {
        let names: Vec<_> = request.partitions.iter().map(SlurmName::as_str).collect();
        (is_named && !names.is_empty()).then(|| names.join(","))
    })
}
