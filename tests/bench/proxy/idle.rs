//! WebSockets on which nothing is said: most of an open Lab's are idle most of the time.

use futures_util::StreamExt;
use slipway_tests::flood::memory;

use super::load::Way;
use crate::table::markdown;

const COUNTS: [usize; 2] = [2_000, 9_000];
/// As many are opened at once.
const AT_ONCE: usize = 50;

/// Memory of each process before, and with so many open.
pub(super) async fn measure(ways: &[Way]) -> String {
    let mut rows = Vec::new();
    for way in ways.iter().filter(|way| way.name != "direct") {
        let before = memory(way.pid);
        let mut sockets = Vec::new();
        let mut row = vec![way.name.to_owned()];
        for count in COUNTS {
            let more = count - sockets.len();
            let opened = futures_util::stream::iter((0..more).map(|_| way.socket())).buffer_unordered(AT_ONCE);
            sockets.extend(opened.collect::<Vec<_>>().await);
            let each = f64::from(u32::try_from(memory(way.pid) - before).unwrap());
            row.push(format!("{:.1}", each / f64::from(u32::try_from(count).unwrap())));
        }
        rows.push(row);
        drop(sockets);
    }
    let header = ["", "KiB each of 2,000", "KiB each of 9,000"];
    markdown("WebSockets on which nothing is said (PSS)", &header, &rows)
}
