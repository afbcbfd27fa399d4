//! The bytes of a connection: counted among those that may be open at once, and ended when the client takes an answer
//! more slowly than the minimum rate.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use proxy_header::io::ProxiedStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use super::connections::{Connection, Registered};
use crate::transfer::{MinRate, RateCheck};

/// What bytes go through: TCP, of which the PROXY protocol may have read too much, or TLS on top of it.
pub(super) type Transport = Either<ProxiedStream<TcpStream>, TlsStream<ProxiedStream<TcpStream>>>;

/// A connection. Its place is free again when it is closed, which for a tunnel is long after hyper is done.
pub(super) struct Stream<T = Transport> {
    transport: T,
    check: RateCheck,
    registered: Registered,
    _place: OwnedSemaphorePermit,
}

impl<T> Stream<T> {
    /// A connection that takes this place.
    pub(super) fn new(
        transport: T,
        rate: Option<MinRate>,
        registered: Registered,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            transport,
            check: RateCheck::new(rate),
            registered,
            _place: place,
        }
    }

    fn connection(&self) -> &Arc<Connection> {
        self.registered.connection()
    }

    /// The client does not take what is to be written now. A tunnel may be as slow as it likes.
    fn block<R>(&mut self, cx: &mut Context<'_>) -> Poll<Result<R>> {
        self.connection().set_blocked(true);
        if !self.connection().is_tunnel() && self.check.poll_too_slow(cx).is_ready() {
            let slow = "the client takes what is sent to it too slowly";
            return Poll::Ready(Err(Error::new(ErrorKind::TimedOut, slow)));
        }
        Poll::Pending
    }

    fn write(&mut self, cx: &mut Context<'_>, written: Poll<Result<usize>>) -> Poll<Result<usize>> {
        match written {
            Poll::Pending => self.block(cx),
            Poll::Ready(Ok(bytes)) => {
                self.check.record(bytes as u64);
                written
            }
            Poll::Ready(Err(_)) => written,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Stream<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.transport).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Stream<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.transport).poll_write(cx, buf);
        self.write(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = Pin::new(&mut self.transport).poll_flush(cx);
        if flushed.is_pending() {
            return self.block(cx);
        }
        // Everything has been taken: what follows is another answer, or another piece of a slow one.
        self.check.reset();
        self.connection().set_blocked(false);
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let closed = Pin::new(&mut self.transport).poll_shutdown(cx);
        if closed.is_pending() { self.block(cx) } else { closed }
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.transport).poll_write_vectored(cx, bufs);
        self.write(cx, written)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::sync::Semaphore;
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::listen::connections::Connections;

    const RATE: MinRate = MinRate {
        bytes: 1000,
        window: Duration::from_millis(500),
    };

    /// A connection, and its client's end, between which four bytes are on the way at most.
    fn pair() -> (Stream<DuplexStream>, DuplexStream) {
        let (near, far) = duplex(4);
        let registered = Connections::new(1, 1).add(None).unwrap();
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        (Stream::new(near, Some(RATE), registered, place), far)
    }

    #[tokio::test]
    async fn a_client_that_takes_a_byte_now_and_then_is_ended() {
        let (mut stream, mut client) = pair();
        let started = Instant::now();
        let taking = async {
            while client.read(&mut [0]).await.is_ok_and(|read| read > 0) {
                sleep(RATE.window / 50).await;
            }
        };
        let sending = async {
            let error = stream.write_all(&vec![b'x'; 200_000]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            drop(stream);
        };
        tokio::join!(sending, taking);
        assert!(started.elapsed() >= RATE.window, "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn a_client_that_takes_enough_gets_everything_however_long_that_lasts() {
        let (mut stream, mut client) = pair();
        let taking = async {
            let mut taken = 0;
            while taken < 10_000 {
                let mut piece = [0; 400];
                client.read_exact(&mut piece).await.unwrap();
                taken += piece.len();
                sleep(RATE.window / 10).await;
            }
        };
        let sending = async { stream.write_all(&[b'x'; 10_000]).await };
        let (sent, ()) = tokio::join!(sending, taking);
        sent.unwrap();
    }

    #[tokio::test]
    async fn a_client_that_has_taken_everything_may_wait() {
        let (mut stream, mut client) = pair();
        for _ in 0..3 {
            let (sent, taken) = tokio::join!(stream.write_all(b"data: news"), async {
                sleep(RATE.window / 2).await;
                client.read_exact(&mut [0; 10]).await
            });
            sent.unwrap();
            taken.unwrap();
            stream.flush().await.unwrap();
            sleep(RATE.window).await;
        }
    }

    #[tokio::test]
    async fn a_tunnel_may_be_as_slow_as_it_likes() {
        let (mut stream, mut client) = pair();
        stream.connection().becomes_tunnel();
        let (sent, taken) = tokio::join!(stream.write_all(b"a message"), async {
            sleep(RATE.window * 3).await;
            client.read_exact(&mut [0; 9]).await
        });
        sent.unwrap();
        taken.unwrap();
    }
}
