//! Bytes from one side of a tunnel to the other, both ways, until both have said that they are done.
//!
//! tokio's own copy keeps 16 KiB for each tunnel while nothing happens on it, and most of an open Lab's tunnels are idle
//! most of the time. Here all tunnels of a thread share one buffer: it is filled and emptied within one step, and only
//! what the other side does not take at once is kept.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// As much as TLS takes at once.
const BUFFER: usize = 64 * 1024;

thread_local! {
    static SHARED: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER].into_boxed_slice());
}

/// One direction.
#[derive(Default)]
struct Way {
    /// What was read and could not be written yet.
    kept: Vec<u8>,
    written: usize,
    is_flushed: bool,
    /// Something came since that was last asked.
    has_read: bool,
    end: End,
}

#[derive(Default, PartialEq)]
enum End {
    /// More may come.
    #[default]
    Open,
    /// The one side has said that it is done …
    Read,
    /// … and the other has been told.
    Told,
}

/// Copies both ways until both sides are done, or one fails. Says each time that it wakes to something that came.
pub(super) async fn copy(
    one: &mut (impl AsyncRead + AsyncWrite + Unpin),
    other: &mut (impl AsyncRead + AsyncWrite + Unpin),
    used: impl Fn(),
) -> io::Result<()> {
    let (mut to_other, mut to_one) = (Way::default(), Way::default());
    poll_fn(|cx| {
        let there = to_other.poll(cx, one, other)?;
        let back = to_one.poll(cx, other, one)?;
        if std::mem::take(&mut to_other.has_read) | std::mem::take(&mut to_one.has_read) {
            used();
        }
        if there.is_ready() && back.is_ready() {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    })
    .await
}

impl Way {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        while self.end != End::Told {
            if self.written < self.kept.len() {
                self.written += ready!(self.write(cx, to))?;
                continue;
            }
            self.kept = Vec::new();
            self.written = 0;
            if self.end == End::Read {
                ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                self.end = End::Told;
                continue;
            }
            if SHARED
                .with_borrow_mut(|buffer| self.pass(cx, from, to, buffer))?
                .is_pending()
            {
                if !self.is_flushed {
                    ready!(Pin::new(&mut *to).poll_flush(cx))?;
                    self.is_flushed = true;
                }
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn write(&self, cx: &mut Context<'_>, to: &mut (impl AsyncWrite + Unpin)) -> Poll<io::Result<usize>> {
        let rest = self.kept.get(self.written..).unwrap_or_default();
        Pin::new(to).poll_write(cx, rest).map(|written| match written {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            other => other,
        })
    }

    /// Reads once, and writes what was read as far as the other side takes it; pending if there is nothing to read.
    fn pass(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        buffer: &mut [u8],
    ) -> io::Result<Poll<()>> {
        let mut read = ReadBuf::new(buffer);
        if Pin::new(from).poll_read(cx, &mut read)?.is_pending() {
            return Ok(Poll::Pending);
        }
        let read = read.filled();
        if read.is_empty() {
            self.end = End::Read;
        }
        self.is_flushed = false;
        self.has_read = true;
        let mut rest = read;
        while !rest.is_empty() {
            match Pin::new(&mut *to).poll_write(cx, rest)? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(written) => rest = rest.get(written..).unwrap_or_default(),
                Poll::Pending => {
                    self.kept = rest.to_vec();
                    break;
                }
            }
        }
        Ok(Poll::Ready(()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn what_one_side_sends_arrives_whole_however_slowly_the_other_reads() {
        // Less fits between them than is read at once.
        let ((mut browser, mut one), (mut other, mut server)) = (duplex(BUFFER), duplex(1000));
        let used = Arc::new(AtomicBool::new(false));
        let is_used = Arc::clone(&used);
        let tunnel = tokio::spawn(async move { copy(&mut one, &mut other, || used.store(true, Relaxed)).await });
        let sent: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let all = sent.clone();
        let sender = tokio::spawn(async move {
            browser.write_all(&all).await.unwrap();
            browser.shutdown().await.unwrap();
            let mut answer = String::new();
            browser.read_to_string(&mut answer).await.unwrap();
            answer
        });
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        assert!(received == sent);
        assert!(is_used.load(Relaxed));
        // The other direction goes on after the one is done.
        server.write_all(b"an answer").await.unwrap();
        drop(server);
        assert_eq!(sender.await.unwrap(), "an answer");
        tunnel.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_side_that_dies_ends_it() {
        let ((browser, mut one), (mut other, mut server)) = (duplex(BUFFER), duplex(1000));
        let tunnel = tokio::spawn(async move { copy(&mut one, &mut other, || {}).await });
        drop(browser);
        let mut nothing = Vec::new();
        server.read_to_end(&mut nothing).await.unwrap();
        drop(server);
        tunnel.await.unwrap().unwrap();
    }
}
