//! The PROXY protocol: before its first byte, a connection says whose it is.
//! <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>

use std::io;
use std::net::IpAddr;

use proxy_header::ParseConfig;
use proxy_header::io::ProxiedStream;
use tokio::net::TcpStream;

/// Reads the header that has to be there, version 1 or 2, of the length that the protocol allows (64 KiB at
/// most). Answers the address in it, or `proxy`, where the proxy speaks for itself (its checks of our health).
/// The error is of the kind `InvalidData` for what is no such header, `UnexpectedEof` for a connection that
/// ended instead.
pub(super) async fn read(stream: TcpStream, proxy: IpAddr) -> io::Result<(ProxiedStream<TcpStream>, IpAddr)> {
    let stream = ProxiedStream::create_from_tokio(stream, ParseConfig::default()).await?;
    let address = stream.proxy_header().proxied_address();
    let client = address.map_or(proxy, |address| address.source.ip().to_canonical());
    Ok((stream, client))
}
