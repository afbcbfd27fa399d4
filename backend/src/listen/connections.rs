//! Open connections by whose they are, with a limit for each.
//!
//! A connection counts for its client address until a request on it shows a valid sign-in; from then on it counts for
//! that person, so that a class behind one router is not taken for one client. Connections of trusted proxies are
//! many people's, and count for nobody. Past a limit, the connection that has been idle longest is closed for the new
//! one; only where none is idle is the new one refused.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::Extensions;
use shared::names::UserName;
use tokio::sync::Notify;

use crate::auth::Seen;
use crate::client_network::network_of;

/// A new connection is not idle before this time: its first request is on the way.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// Whom a connection counts for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Owner {
    Address(IpAddr),
    Person(UserName),
}

/// All open connections that count for somebody.
pub(super) struct Connections {
    max_per_address: usize,
    max_per_person: usize,
    open: Mutex<HashMap<Owner, Vec<Arc<Connection>>>>,
    started: Instant,
}

/// One connection of a client.
pub struct Connection {
    /// The sign-in that it has shown last.
    pub seen: Seen,
    all: Arc<Connections>,
    /// Nothing for a connection that counts for nobody.
    owner: Mutex<Option<Owner>>,
    counts_for_person: AtomicBool,
    under_way: AtomicUsize,
    requests: AtomicU64,
    /// Milliseconds from the start of [`Connections`] to the end of the last request.
    idle_since: AtomicU64,
    is_tunnel: AtomicBool,
    /// Something is to be written that the client does not take now.
    is_blocked: AtomicBool,
    /// How often that was so.
    blocked: AtomicU64,
    evicted: Notify,
}

impl Connections {
    /// With these limits.
    pub(super) fn new(max_per_address: usize, max_per_person: usize) -> Arc<Self> {
        Arc::new(Self {
            max_per_address,
            max_per_person,
            open: Mutex::default(),
            started: Instant::now(),
        })
    }

    /// A new connection of a client, or of a trusted proxy where there is no address. Nothing if the address has as many
    /// as it may, and none of them is idle.
    pub(super) fn add(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Registered> {
        let owner = address.map(|address| Owner::Address(network_of(address)));
        let connection = Arc::new(Connection {
            seen: Seen::default(),
            all: Arc::clone(self),
            owner: Mutex::new(owner.clone()),
            counts_for_person: AtomicBool::new(owner.is_none()),
            under_way: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
            idle_since: AtomicU64::new(self.now()),
            is_tunnel: AtomicBool::new(false),
            is_blocked: AtomicBool::new(false),
            blocked: AtomicU64::new(0),
            evicted: Notify::new(),
        });
        if let Some(owner) = owner {
            let mut open = self.lock();
            let own = open.entry(owner).or_default();
            if own.len() >= self.max_per_address {
                let (_, oldest) = longest_idle(own, self.now())?;
                own.swap_remove(oldest).evict();
            }
            own.push(Arc::clone(&connection));
        }
        Some(Registered(connection))
    }

    /// Closes the connection that has been idle longest, whosever it is.
    pub(super) fn evict_one(&self) {
        let now = self.now();
        let mut open = self.lock();
        let longest = open
            .iter()
            .filter_map(|(owner, own)| longest_idle(own, now).map(|(since, place)| (since, place, owner.clone())))
            .min_by_key(|(since, _, _)| *since);
        if let Some((_, place, owner)) = longest
            && let Some(own) = open.get_mut(&owner)
        {
            own.swap_remove(place).evict();
        }
    }

    /// Logs that a client was refused.
    pub(super) fn log_refusal(&self, address: IpAddr) {
        tracing::warn!(
            %address,
            limit = self.max_per_address,
            "refused a connection: too many from this address (server.max_connections_per_address); if it is a proxy, \
             name it in server.trusted_proxies"
        );
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Owner, Vec<Arc<Connection>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Since when the connection has been idle that has been so longest, and its place in the list.
fn longest_idle(connections: &[Arc<Connection>], now: u64) -> Option<(u64, usize)> {
    let idle = connections.iter().enumerate();
    idle.filter_map(|(place, connection)| Some((connection.idle_since(now)?, place)))
        .min()
}

impl Connection {
    /// The connection that a request came on.
    pub fn of(extensions: &Extensions) -> Option<&Arc<Self>> {
        extensions.get()
    }

    /// A request on it has shown that this person is signed in. Beyond the limit of one person it goes on to count for
    /// its address.
    pub fn belongs_to(self: &Arc<Self>, user: &UserName) {
        if self.counts_for_person.load(Relaxed) {
            return;
        }
        let person = Owner::Person(user.clone());
        let mut open = self.all.lock();
        if open.get(&person).map_or(0, Vec::len) >= self.all.max_per_person || !self.take_out(&mut open) {
            return;
        }
        open.entry(person.clone()).or_default().push(Arc::clone(self));
        *self.owner() = Some(person);
        self.counts_for_person.store(true, Relaxed);
    }

    /// A request has come, which is under way until what is returned is dropped.
    pub(super) fn begin_request(self: &Arc<Self>) -> UnderWay {
        self.under_way.fetch_add(1, Relaxed);
        self.requests.fetch_add(1, Relaxed);
        UnderWay(Arc::clone(self))
    }

    /// How many requests have come.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Whether no request is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way.load(Relaxed) == 0
    }

    /// Waits until this connection has to make room for another.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    /// Both sides have changed protocol.
    pub(super) fn becomes_tunnel(&self) {
        self.is_tunnel.store(true, Relaxed);
    }

    pub(super) fn is_tunnel(&self) -> bool {
        self.is_tunnel.load(Relaxed)
    }

    /// The client does not take what is written to it, or again does.
    pub(super) fn set_blocked(&self, is_blocked: bool) {
        if is_blocked {
            self.blocked.fetch_add(1, Relaxed);
        }
        if self.is_blocked.load(Relaxed) != is_blocked {
            self.is_blocked.store(is_blocked, Relaxed);
        }
    }

    /// How often a write to the client has had to wait, and whether one waits now.
    pub(super) fn blocked(&self) -> (u64, bool) {
        (self.blocked.load(Relaxed), self.is_blocked.load(Relaxed))
    }

    fn idle_since(&self, now: u64) -> Option<u64> {
        let since = self.idle_since.load(Relaxed);
        let is_new = self.requests() == 0 && u128::from(now.saturating_sub(since)) < FIRST_REQUEST.as_millis();
        let is_used = !self.is_idle() || self.is_tunnel() || self.is_blocked.load(Relaxed);
        (!is_new && !is_used).then_some(since)
    }

    fn evict(&self) {
        self.evicted.notify_one();
    }

    fn owner(&self) -> MutexGuard<'_, Option<Owner>> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes it out of its owner's list. False if it is in none: it counts for nobody, or was evicted.
    fn take_out(self: &Arc<Self>, open: &mut HashMap<Owner, Vec<Arc<Self>>>) -> bool {
        let Some(owner) = self.owner().take() else {
            return false;
        };
        let Some(own) = open.get_mut(&owner) else {
            return false;
        };
        let place = own.iter().position(|other| Arc::ptr_eq(other, self));
        if let Some(place) = place {
            own.swap_remove(place);
        }
        if own.is_empty() {
            open.remove(&owner);
        }
        place.is_some()
    }
}

/// A connection that is counted until this is dropped.
pub(super) struct Registered(Arc<Connection>);

impl Registered {
    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.0
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let connection = &self.0;
        connection.take_out(&mut connection.all.lock());
    }
}

/// A request that is under way.
pub(super) struct UnderWay(Arc<Connection>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let connection = &self.0;
        connection.idle_since.store(connection.all.now(), Relaxed);
        connection.under_way.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn person() -> UserName {
        UserName::new("ada").unwrap()
    }

    /// A connection with a request under way.
    fn busy(connections: &Arc<Connections>, last: u8) -> (Registered, UnderWay) {
        let registered = connections.add(Some(address(last))).unwrap();
        let under_way = registered.connection().begin_request();
        (registered, under_way)
    }

    fn is_evicted(registered: &Registered) -> bool {
        let mut evicted = std::pin::pin!(registered.connection().evicted());
        let waker = std::task::Waker::noop();
        evicted
            .as_mut()
            .poll(&mut std::task::Context::from_waker(waker))
            .is_ready()
    }

    #[test]
    fn one_address_has_so_many_connections_and_others_have_theirs() {
        let connections = Connections::new(2, 2);
        let (first, second) = (busy(&connections, 1), busy(&connections, 1));
        assert!(connections.add(Some(address(1))).is_none());
        assert!(connections.add(Some(address(2))).is_some());
        assert!(connections.add(None).is_some(), "a proxy is not counted");
        drop(first);
        assert!(connections.add(Some(address(1))).is_some());
        drop(second);
        assert!(connections.lock().is_empty(), "what is closed is forgotten");
    }

    #[test]
    fn the_connection_that_has_been_idle_longest_makes_room() {
        let connections = Connections::new(3, 3);
        let all = [busy(&connections, 1), busy(&connections, 1), busy(&connections, 1)];
        let [(first, still), (second, done), (third, later)] = all;
        drop(done);
        std::thread::sleep(Duration::from_millis(5));
        drop(later);
        let (fourth, _under_way) = busy(&connections, 1);
        let evicted = [&first, &second, &third, &fourth].map(is_evicted);
        assert_eq!(evicted, [false, true, false, false]);
        // Counted once only, however long it takes to close.
        drop(second);
        let (_fifth, _under_way) = busy(&connections, 1);
        assert!(is_evicted(&third));
        assert!(connections.add(Some(address(1))).is_none());
        drop(still);
        assert!(connections.add(Some(address(1))).is_some());
    }

    #[test]
    fn a_new_connection_a_tunnel_and_one_that_is_written_to_are_not_idle() {
        let connections = Connections::new(3, 3);
        let new = connections.add(Some(address(1))).unwrap();
        let (tunnel, switched) = busy(&connections, 1);
        tunnel.connection().becomes_tunnel();
        drop(switched);
        let (slow, sent) = busy(&connections, 1);
        slow.connection().set_blocked(true);
        drop(sent);
        assert!(connections.add(Some(address(1))).is_none());
        slow.connection().set_blocked(false);
        assert!(connections.add(Some(address(1))).is_some());
        assert_eq!([&new, &tunnel, &slow].map(is_evicted), [false, false, true]);
    }

    #[test]
    fn where_a_person_has_signed_in_the_connection_counts_for_them_up_to_their_own_limit() {
        let connections = Connections::new(2, 3);
        let mut theirs = Vec::new();
        for _ in 0..3 {
            let (registered, under_way) = busy(&connections, 1);
            registered.connection().belongs_to(&person());
            registered.connection().belongs_to(&person());
            theirs.push((registered, under_way));
        }
        let others = [busy(&connections, 1), busy(&connections, 1)];
        others[0].0.connection().belongs_to(&person());
        assert!(connections.add(Some(address(1))).is_none());
        theirs.pop();
        others[0].0.connection().belongs_to(&person());
        assert!(connections.add(Some(address(1))).is_some());
        drop((theirs, others));
        assert!(connections.lock().is_empty());
    }

    #[test]
    fn of_all_connections_the_longest_idle_makes_room_whosever_it_is() {
        let connections = Connections::new(2, 2);
        let (first, done) = busy(&connections, 1);
        drop(done);
        std::thread::sleep(Duration::from_millis(5));
        let (second, done) = busy(&connections, 2);
        second.connection().belongs_to(&person());
        drop(done);
        connections.evict_one();
        assert_eq!([&first, &second].map(is_evicted), [true, false]);
        connections.evict_one();
        assert!(is_evicted(&second));
        connections.evict_one();
    }
}
