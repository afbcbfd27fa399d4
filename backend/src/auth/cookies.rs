//! Reading `Cookie` headers.

use http::{HeaderMap, header};

/// Every cookie of a request, as name and value. In bytes: somebody else's page of this host may have set one with
/// others than ASCII, which is no reason to overlook the rest.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    cookie_pairs(headers).filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        Some((&pair[..equals], &pair[equals + 1..]))
    })
}

/// Every cookie of a request, whole: there are some without a name.
pub fn cookie_pairs(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty())
}
