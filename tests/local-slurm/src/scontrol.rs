//! `scontrol` as a job needs it: `scontrol update job=$SLURM_JOB_ID comment="…"`.
//!
//! The client knows nothing: it reads the job's `$SLURM_CONF` (a private file with an address and the job's own token)
//! and sends its arguments; the answer is an exit code and what to print. So the client can be a bash script of ten
//! lines, or any Rust program that calls [`scontrol_main`].

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::cluster::{Fault, Inner};
use crate::error::UNREACHABLE;

/// The client as a script, for clusters inside a test, where no binary is at hand.
const SCRIPT: &str = r#"#!/bin/bash
# scontrol of local-slurm: sends its arguments to the cluster that runs this job.
while IFS='=' read -r key value; do
  case $key in SlurmctldPort) port=$value ;; JobToken) token=$value ;; esac
done < "${SLURM_CONF:-/dev/null}"
{ exec 3<> "/dev/tcp/127.0.0.1/${port:-0}"; } 2> /dev/null || {
  echo 'slurm_update error: Unable to contact slurm controller (connect failure)' >&2
  exit 1
}
printf '%s\0' "$token" "$#" "$@" >&3
read -r code <&3
while IFS= read -r line; do printf '%s\n' "$line" >&2; done <&3
exit "${code:-1}"
"#;

/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than any command line.
const LONGEST: u64 = 1 << 20;

/// Puts `scontrol` where jobs find it.
pub(crate) fn install(folder: &Path, program: Option<&Path>) -> io::Result<()> {
    let bin = folder.join("bin");
    std::fs::create_dir(&bin)?;
    let scontrol = bin.join("scontrol");
    if let Some(program) = program {
        return std::os::unix::fs::symlink(std::fs::canonicalize(program)?, scontrol);
    }
    std::fs::write(&scontrol, SCRIPT)?;
    std::fs::set_permissions(&scontrol, std::fs::Permissions::from_mode(0o700))
}

/// A secret from the system.
pub(crate) fn secret() -> io::Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// What a job finds in `$SLURM_CONF`.
pub(crate) fn conf(inner: &Inner, id: u32) -> String {
    format!(
        "# Made by local-slurm for job {id}.\nClusterName={}\nSlurmctldHost={}\nSlurmctldPort={}\nJobToken={}{id}\n",
        inner.config.name,
        inner.controller.ip(),
        inner.controller.port(),
        inner.secret,
    )
}

/// Takes the calls of jobs.
pub(crate) async fn serve(listener: TcpListener, inner: Arc<Inner>) {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else {
            continue;
        };
        let inner = inner.clone();
        tokio::spawn(async move {
            let mut bytes = Vec::new();
            let said = tokio::time::timeout(PATIENCE, read_call(&mut stream, &mut bytes)).await;
            let (code, words) = match said {
                Ok(Some((token, arguments))) => answer(&inner, &token, &arguments),
                _ => return,
            };
            let line = if words.is_empty() {
                String::new()
            } else {
                format!("{words}\n")
            };
            let _ = stream.write_all(format!("{code}\n{line}").as_bytes()).await; // The job may be gone.
        });
    }
}

/// Token, number of arguments, arguments, each ended by a NUL.
async fn read_call(stream: &mut tokio::net::TcpStream, bytes: &mut Vec<u8>) -> Option<(String, Vec<String>)> {
    let mut limited = stream.take(LONGEST);
    loop {
        let parts: Vec<String> = bytes
            .split_inclusive(|byte| *byte == 0)
            .filter_map(|part| Some(String::from_utf8_lossy(part.strip_suffix(&[0])?).into_owned()))
            .collect();
        if let [token, count, arguments @ ..] = parts.as_slice()
            && count.parse() == Ok(arguments.len())
        {
            return Some((token.clone(), arguments.to_vec()));
        }
        if limited.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// What `scontrol` prints and how it exits.
fn answer(inner: &Inner, token: &str, arguments: &[String]) -> (u8, String) {
    if *inner.fault.borrow() == Fault::ControllerDown {
        return (1, format!("slurm_update error: {}", UNREACHABLE.text));
    }
    let Some(by) = token.strip_prefix(&inner.secret).and_then(|id| id.parse().ok()) else {
        return (1, "slurm_update error: Protocol authentication error".into());
    };
    match parse(arguments) {
        Ok(Command::Version) => (0, "slurm 24.11.5".into()),
        Ok(Command::Comment { job, comment }) => match inner.comment(by, job, &comment) {
            Ok(()) => (0, String::new()),
            Err(error) => (1, format!("{} for job {job}", error.text)),
        },
        Err(words) => (1, words),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Command {
    Version,
    Comment { job: u32, comment: String },
}

/// `update job=7 comment=…`; keys in any case, and shortened to three letters or more, as scontrol takes them.
fn parse(arguments: &[String]) -> Result<Command, String> {
    let (verb, rest) = arguments
        .split_first()
        .ok_or("local-slurm's scontrol needs a command")?;
    if matches!(verb.as_str(), "-V" | "--version" | "version") {
        return Ok(Command::Version);
    }
    if !abbreviates(verb, "update", 1) {
        return Err(format!("local-slurm's scontrol knows `update`, not `{verb}`"));
    }
    let (mut job, mut comment) = (None, None);
    for argument in rest {
        let unsupported = || format!("Update of this parameter is not supported: {argument}\nRequest aborted");
        let (key, value) = argument.split_once('=').ok_or_else(unsupported)?;
        if abbreviates(key, "JobId", 3) {
            job = Some(
                value
                    .parse()
                    .map_err(|_| format!("Invalid job id specified: {value}"))?,
            );
        } else if abbreviates(key, "Comment", 3) {
            comment = Some(value.to_owned());
        } else {
            return Err(unsupported());
        }
    }
    match (job, comment) {
        (Some(job), Some(comment)) => Ok(Command::Comment { job, comment }),
        (None, _) => Err("No valid entity in update command".into()),
        (_, None) => Err("No changes specified".into()),
    }
}

fn abbreviates(short: &str, long: &str, least: usize) -> bool {
    short.len() >= least
        && long
            .get(..short.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(short))
}

/// The client: what a program does that is called `scontrol`. Give it the arguments after the program's name.
#[expect(clippy::print_stderr, reason = "this is the main function of a command")]
pub fn scontrol_main(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let (code, words) = call(&arguments.into_iter().collect::<Vec<_>>())
        .unwrap_or_else(|_| (1, format!("slurm_update error: {}\n", UNREACHABLE.text)));
    eprint!("{words}");
    ExitCode::from(code)
}

fn call(arguments: &[String]) -> io::Result<(u8, String)> {
    let conf = std::env::var_os("SLURM_CONF").ok_or(io::ErrorKind::NotFound)?;
    let conf = std::fs::read_to_string(conf)?;
    let value = |key: &str| conf.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let port: u16 = value("SlurmctldPort")
        .and_then(|port| port.parse().ok())
        .ok_or(io::ErrorKind::InvalidData)?;
    let mut stream = TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, port))?;
    let count = arguments.len().to_string();
    let parts = [value("JobToken").unwrap_or_default(), &count]
        .into_iter()
        .chain(arguments.iter().map(String::as_str));
    let message: String = parts.flat_map(|part| [part, "\0"]).collect();
    stream.write_all(message.as_bytes())?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let (code, words) = reply.split_once('\n').ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok((code.parse().map_err(io::Error::other)?, words.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_update_are_taken_as_scontrol_takes_them() {
        let parse = |text: &str| parse(&text.split(' ').map(Into::into).collect::<Vec<_>>());
        let expected = || {
            Ok(Command::Comment {
                job: 7,
                comment: "port=1".into(),
            })
        };
        for text in [
            "update job=7 comment=port=1",
            "update JobId=7 Comment=port=1",
            "upd jobid=7 COMM=port=1",
        ] {
            assert_eq!(parse(text), expected(), "{text}");
        }
        assert_eq!(parse("--version"), Ok(Command::Version));
        for text in [
            "update job=7",
            "update comment=x",
            "update job=x comment=y",
            "update nodename=c1",
            "show job=7",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
