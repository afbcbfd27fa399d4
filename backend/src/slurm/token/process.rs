//! `slipway sign`: Slurm's key in a process of its own, under a user of its own.
//!
//! One line of JSON for each order, one for each reply (see [`Order`] and [`Reply`]), several on one connection.
//! Who is at the other end is known from the socket itself, and is the one configured user or nobody.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use secrecy::ExposeSecret;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::codec::LinesCodecError;
use tokio_util::sync::CancellationToken;

use super::order::{Order, Reply};
use super::remote::{Lines, lines};
use super::signer::{AUDIT, Limits, Signer};
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::Secret;
use crate::parse_error;

/// A connection without a line for so long is closed; whoever wants more connects anew.
const IDLE: Duration = Duration::from_mins(1);
/// How long a reply may take to be read.
const WRITING: Duration = Duration::from_secs(2);
/// Connections at a time: many more than one Slipway has.
const CONNECTIONS: usize = 64;

/// Whom this process serves.
#[derive(Clone, Copy)]
struct Allowed {
    /// Whoever runs it.
    own: u32,
    configured: Option<u32>,
}

/// Signs for `slipway serve` until shutdown. An error says what stopped the start.
pub async fn sign_for_others(config: &Config, shutdown: CancellationToken) -> Result<(), String> {
    let own = config
        .signer
        .as_ref()
        .ok_or("[signer] is missing: it names the key that `slipway sign` signs with (signer.key_file)")?;
    let socket = config
        .slurm
        .signer_socket()
        .ok_or("slurm.signer is missing: it says where `slipway sign` listens")?;
    let secret = Secret::read(&own.key_file).map_err(|e| e.to_string())?;
    let signer = Signer::new(&secret, own.key_id.clone(), Limits::of(config), Clock::system())?;
    let failed = |e: io::Error| format!("slurm.signer: {}: {e}", socket.display());
    let listener = listen(socket, own.allow_uid.is_some()).map_err(failed)?;
    let allowed = Allowed {
        // Of the socket that was just made.
        own: fs::metadata(socket).map_err(failed)?.uid(),
        configured: own.allow_uid,
    };
    tracing::info!(socket = %socket.display(), uid = allowed.own, allow_uid = own.allow_uid, "signing");
    shutdown
        .run_until_cancelled(accept(listener, Arc::new(signer), allowed))
        .await;
    let _ = fs::remove_file(socket);
    Ok(())
}

/// Listens in the place of a signer of before. Who connects is looked at anyway: the mode only keeps away those
/// who are never served.
fn listen(socket: &Path, is_shared: bool) -> io::Result<UnixListener> {
    let folder = socket.parent().unwrap_or(Path::new("/"));
    if fs::metadata(folder)?.permissions().mode() & 0o002 != 0 {
        let text = format!(
            "everybody can write into {}, and could listen there instead",
            folder.display()
        );
        return Err(io::Error::other(text));
    }
    match fs::symlink_metadata(socket) {
        Ok(there) if !there.file_type().is_socket() => {
            return Err(io::Error::other("there is a file that is no socket"));
        }
        Ok(_) if std::os::unix::net::UnixStream::connect(socket).is_ok() => {
            return Err(io::Error::other("another signer listens there"));
        }
        Ok(_) => fs::remove_file(socket)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(socket)?;
    let mode = if is_shared { 0o660 } else { 0o600 };
    fs::set_permissions(socket, fs::Permissions::from_mode(mode))?;
    Ok(listener)
}

async fn accept(listener: UnixListener, signer: Arc<Signer>, allowed: Allowed) {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, say: that passes.
                tracing::warn!(%error, "a connection to the signer failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&free).try_acquire_owned() else {
            tracing::warn!(target: AUDIT, "refused a connection to the signer: there are {CONNECTIONS} already");
            continue;
        };
        let signer = Arc::clone(&signer);
        tokio::spawn(async move {
            serve(stream, &signer, allowed).await;
            drop(permit);
        });
    }
}

async fn serve(stream: UnixStream, signer: &Signer, allowed: Allowed) {
    let (uid, pid) = match stream.peer_cred() {
        Ok(peer) => (Some(peer.uid()), peer.pid()),
        Err(_) => (None, None),
    };
    let mut lines = lines(stream);
    if uid != Some(allowed.own) && (uid.is_none() || uid != allowed.configured) {
        tracing::warn!(target: AUDIT, uid, pid, "refused a connection to the signer: this user is not served");
        let why = "this user is not served (signer.allow_uid)".to_owned();
        answer(&mut lines, &Reply::NotServed(why)).await;
        return;
    }
    while let Ok(Some(line)) = timeout(IDLE, lines.next()).await {
        let order = match &line {
            Ok(line) => parse_order(line),
            Err(LinesCodecError::MaxLineLengthExceeded) => Err("the line is too long".to_owned()),
            Err(LinesCodecError::Io(_)) => return,
        };
        let (reply, is_last) = match order {
            Ok(order) => (signed(signer, &order), false),
            Err(why) => {
                tracing::warn!(target: AUDIT, uid, pid, why, "refused an order that is none");
                (Reply::NotServed(format!("not an order: {why}")), true)
            }
        };
        if !answer(&mut lines, &reply).await || is_last {
            return;
        }
    }
}

/// Reads a line; or what is wrong with it, without what it says.
fn parse_order(line: &str) -> Result<Order, String> {
    serde_json::from_str(line).map_err(|error| parse_error::json(&error))
}

/// Answers one line as the signer's socket would, for tests.
pub fn answer_line(signer: &Signer, line: &str) -> String {
    let reply = match parse_order(line) {
        Ok(order) => signed(signer, &order),
        Err(why) => Reply::NotServed(why),
    };
    serde_json::to_string(&reply).unwrap_or_default()
}

fn signed(signer: &Signer, order: &Order) -> Reply {
    match signer.sign(order) {
        Ok(token) => Reply::Signed {
            token: token.text.expose_secret().to_owned(),
            until: token.until,
        },
        Err(why) => Reply::Refused(why),
    }
}

/// Says whether it was taken.
async fn answer(lines: &mut Lines, reply: &Reply) -> bool {
    let Ok(line) = serde_json::to_string(reply) else {
        return false;
    };
    matches!(timeout(WRITING, lines.send(line)).await, Ok(Ok(())))
}
