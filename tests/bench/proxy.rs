//! Through the proxy: small requests, WebSocket echo and bulk, direct, through configurable-http-proxy, nginx and Slipway.
//!
//! configurable-http-proxy and nginx check nobody, and speak plain HTTP to the server or mutual TLS; Slipway authenticates
//! each request and always speaks mutual TLS. Direct is what the server behind them costs by itself.

mod idle;
mod load;
mod others;
mod stub;

use serde_json::json;
use slipway_tests::flood::memory;
use slipway_tests::{Person, Plan, Site, until};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use self::load::Way;
use self::others::ConfigurableHttpProxy;
pub(crate) use self::others::Nginx;
use self::stub::Stub;
use crate::table::{Median, markdown};

const ROUNDS: usize = 7;

const SMALL: [&str; 5] = [
    "",
    "CPU s per 10,000 requests",
    "requests/s",
    "CPU s per 100,000 echoes",
    "echoes/s",
];
const BULK: [&str; 8] = [
    "",
    "down MiB/s",
    "CPU s",
    "up MiB/s",
    "CPU s",
    "messages MiB/s",
    "CPU s",
    "memory more by MiB",
];

/// All ways to one and the same kind of server.
struct Ways {
    site: Site,
    stubs: [Stub; 2],
    nginx: [Nginx; 2],
    chp: [ConfigurableHttpProxy; 2],
    /// Slipway's way, and its memory before anybody came.
    slipway: Way,
    at_rest: u64,
}

impl Ways {
    async fn start() -> Self {
        raise_file_limit();
        let site = Site::start(Plan {
            server: "max_connections = 9900\nmax_connections_per_person = 9900\n".into(),
            log: "info",
            ..Plan::default()
        })
        .await;
        let ada = site.sign_in("ada").await;
        let at_rest = memory(site.slipway_pid().unwrap());
        ada.start_and_wait(&json!({})).await;
        let stubs = [Stub::plain().await, Stub::with_tls().await];
        let nginx = [Nginx::before(&stubs[0]).await, Nginx::before(&stubs[1]).await];
        let chp = [
            ConfigurableHttpProxy::before(&stubs[0]).await,
            ConfigurableHttpProxy::before(&stubs[1]).await,
        ];
        let slipway = Way {
            name: "Slipway, TLS to the server",
            pid: site.slipway_pid().unwrap(),
            url: ada.url("user/ada"),
            cookie: ada.cookies("user/ada/"),
            origin: ada.origin(),
        };
        Self {
            site,
            stubs,
            nginx,
            chp,
            slipway,
            at_rest,
        }
    }

    /// The others first.
    fn all(&self) -> Vec<Way> {
        let [plain, _] = &self.stubs;
        vec![
            Way::open("direct", plain.pid(), &plain.url),
            Way::open("configurable-http-proxy", self.chp[0].pid(), &self.chp[0].url),
            Way::open(
                "configurable-http-proxy, TLS to the server",
                self.chp[1].pid(),
                &self.chp[1].url,
            ),
            Way::open("nginx", self.nginx[0].worker, &self.nginx[0].url),
            Way::open("nginx, TLS to the server", self.nginx[1].worker, &self.nginx[1].url),
            self.slipway.clone(),
        ]
    }

    async fn stop(self) {
        for chp in self.chp {
            chp.stop().await;
        }
        for nginx in self.nginx {
            nginx.stop().await;
        }
        for stub in self.stubs {
            stub.stop().await;
        }
        self.site.shut_down().await;
    }
}

pub(crate) async fn measure() -> String {
    let ways = Ways::start().await;
    let chp_at_rest = memory(ways.chp[0].pid());
    let all = ways.all();
    let small = rounds(&all, async |way| {
        let ((request_cpu, requests), (echo_cpu, echoes)) = (way.requests().await, way.echoes().await);
        [request_cpu, requests, echo_cpu, echoes]
    });
    let mut report = markdown("Through the proxy", &SMALL, &small.await);
    let bulk = rounds(&all, async |way| {
        let before = memory(way.pid);
        let ((down_cpu, down), (up_cpu, up)) = (way.down().await, way.up().await);
        let (large_cpu, large) = way.large_messages().await;
        let more = memory(way.pid).saturating_sub(before);
        let more = f64::from(u32::try_from(more).unwrap()) / 1024.0;
        [down, down_cpu, up, up_cpu, large, large_cpu, more]
    });
    let title = "Bulk (256 MiB each way; 256 messages of 1 MiB there and back)";
    report += &markdown(title, &BULK, &bulk.await);
    let rows = [
        ("configurable-http-proxy", chp_at_rest, ways.chp[0].pid()),
        ("Slipway", ways.at_rest, ways.slipway.pid),
    ];
    let rows = rows.map(|(name, at_rest, pid)| vec![name.to_owned(), megabytes(at_rest), megabytes(memory(pid))]);
    report += &markdown("Memory (PSS, MB)", &["", "at rest", "after the load above"], &rows);
    ways.stop().await;
    report
}

/// One row for each way: the median of each number in interleaved rounds.
async fn rounds<const N: usize>(all: &[Way], measure: impl AsyncFn(&Way) -> [f64; N]) -> Vec<Vec<String>> {
    let mut found = vec![vec![Vec::new(); N]; all.len()];
    for _ in 0..ROUNDS {
        for (way, found) in all.iter().zip(&mut found) {
            for (column, number) in found.iter_mut().zip(measure(way).await) {
                column.push(number);
            }
        }
    }
    let row = |(way, columns): (&Way, Vec<Vec<f64>>)| {
        let numbers = columns.into_iter().map(|numbers| Median::of(numbers).to_string());
        std::iter::once(way.name.to_owned()).chain(numbers).collect()
    };
    all.iter().zip(found).map(row).collect()
}

/// What open WebSockets cost on which nothing is said.
pub(crate) async fn measure_idle() -> String {
    let ways = Ways::start().await;
    let report = idle::measure(&ways.all()).await;
    ways.stop().await;
    report
}

/// Nine thousand tunnels are eighteen thousand connections.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).unwrap();
}

/// Waits until there is an answer at this URL.
async fn answers(url: &str) {
    let person = Person::new("");
    until(url, || async {
        person
            .http
            .get(url)
            .send()
            .await
            .ok()
            .filter(|r| r.status().is_success())
    })
    .await;
}

/// User and system time of a process, all threads (`proc_pid_stat(5)`, fields 14 and 15).
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // A clock tick is a hundredth of a second wherever Linux is.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn megabytes(kibibytes: u64) -> String {
    format!("{}.{}", kibibytes / 1024, kibibytes % 1024 * 10 / 1024)
}
