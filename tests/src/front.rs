//! What stands in front of Slipway: a proxy that says whose connection it is before it passes it on.

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// Forwards every connection to a port of this machine, after these bytes.
pub fn forward(listener: TcpListener, to: u16, first: impl Into<Vec<u8>>) {
    let first = first.into();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let first = first.clone();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(("127.0.0.1", to)).await?;
                far.write_all(&first).await?;
                tokio::io::copy_bidirectional(&mut near, &mut far).await
            });
        }
    });
}
