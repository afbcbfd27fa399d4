//! A bounded queue that takes client addresses in turn.
//!
//! Each address has a line of its own and the lines are served round-robin, so the wait of an entry depends on the
//! number of addresses with entries, not on the number of entries that one address sends. Entries whose requester is
//! gone are dropped without work. Where the queue is full, the newest entry of the longest line makes room (longest
//! queue drop, as in fair queueing of packets), so one address cannot keep the others out.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use crate::client_network::network_of;

/// What can wait in a queue.
pub(super) trait Entry {
    /// Whether the requester is gone: the entry is dropped without work.
    fn is_abandoned(&self) -> bool;
}

/// Entries that wait, by client address (an IPv6 network of /64 is one address).
pub(super) struct FairQueue<T> {
    max: usize,
    max_per_address: usize,
    lines: HashMap<IpAddr, VecDeque<T>>,
    /// The addresses that have a line, the next one first.
    turns: VecDeque<IpAddr>,
    waiting: usize,
}

impl<T: Entry> FairQueue<T> {
    /// An empty queue for at most `max` entries, and `max_per_address` of one address.
    pub(super) fn new(max: usize, max_per_address: usize) -> Self {
        Self {
            max,
            max_per_address,
            lines: HashMap::new(),
            turns: VecDeque::new(),
            waiting: 0,
        }
    }

    /// The number of entries that wait, including abandoned ones that have not been dropped yet.
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    /// Adds an entry. Returns the entry that does not fit: the newest of the longest line, or this one where its own
    /// line is full or as long as any other.
    pub(super) fn push(&mut self, address: IpAddr, entry: T) -> Option<T> {
        let address = network_of(address);
        if self.line(address) >= self.max_per_address || self.waiting >= self.max {
            self.drop_abandoned();
        }
        if self.line(address) >= self.max_per_address {
            return Some(entry);
        }
        let mut displaced = None;
        if self.waiting >= self.max {
            let longest = self.lines.iter().max_by_key(|(_, line)| line.len())?;
            let (longest, length) = (*longest.0, longest.1.len());
            if length <= self.line(address) + 1 {
                return Some(entry);
            }
            displaced = self.lines.get_mut(&longest).and_then(VecDeque::pop_back);
            self.waiting -= usize::from(displaced.is_some());
        }
        let line = self.lines.entry(address).or_default();
        if line.is_empty() {
            self.turns.push_back(address);
        }
        line.push_back(entry);
        self.waiting += 1;
        displaced
    }

    /// Takes the oldest entry of the address whose turn it is. The address then goes to the end of the turns.
    pub(super) fn pop(&mut self) -> Option<T> {
        while let Some(address) = self.turns.pop_front() {
            let Some(line) = self.lines.get_mut(&address) else {
                continue;
            };
            while let Some(entry) = line.pop_front() {
                self.waiting -= 1;
                if entry.is_abandoned() {
                    continue;
                }
                if line.is_empty() {
                    self.lines.remove(&address);
                } else {
                    self.turns.push_back(address);
                }
                return Some(entry);
            }
            self.lines.remove(&address);
        }
        None
    }

    fn line(&self, address: IpAddr) -> usize {
        self.lines.get(&address).map_or(0, VecDeque::len)
    }

    fn drop_abandoned(&mut self) {
        self.lines.retain(|_, line| {
            line.retain(|entry| !entry.is_abandoned());
            !line.is_empty()
        });
        self.turns.retain(|address| self.lines.contains_key(address));
        self.waiting = self.lines.values().map(VecDeque::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[derive(Clone, Debug)]
    struct Request {
        number: u32,
        gone: Rc<Cell<bool>>,
    }

    impl Entry for Request {
        fn is_abandoned(&self) -> bool {
            self.gone.get()
        }
    }

    fn request(number: u32) -> Request {
        let gone = Rc::default();
        Request { number, gone }
    }

    fn address(n: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, n])
    }

    fn numbers(queue: &mut FairQueue<Request>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop())
            .map(|request| request.number)
            .collect()
    }

    #[test]
    fn addresses_are_taken_in_turn_and_each_address_in_its_own_order() {
        let mut queue = FairQueue::new(100, 100);
        for (n, from) in [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3)] {
            assert!(queue.push(address(from), request(n)).is_none());
        }
        assert_eq!(numbers(&mut queue), [1, 4, 6, 2, 5, 3]);
        assert_eq!((queue.len(), queue.lines.len(), queue.turns.len()), (0, 0, 0));
    }

    #[test]
    fn a_request_waits_for_one_check_of_each_other_address_however_many_they_send() {
        let mut queue = FairQueue::new(2_000, 400);
        for n in 0..1_500 {
            let _ = queue.push(address(u8::try_from(n % 5).unwrap()), request(n));
        }
        assert!(queue.push(address(99), request(9_999)).is_none());
        let before = std::iter::from_fn(|| queue.pop()).take_while(|request| request.number != 9_999);
        assert_eq!(before.count(), 5);
    }

    #[test]
    fn abandoned_requests_are_skipped_without_using_the_turn_of_their_address() {
        let mut queue = FairQueue::new(2_000, 400);
        let abandoned: Vec<_> = (0..1_500).map(request).collect();
        for (n, request) in abandoned.iter().enumerate() {
            let _ = queue.push(address(u8::try_from(n % 5).unwrap()), request.clone());
        }
        assert!(queue.push(address(99), request(9_999)).is_none());
        for request in &abandoned {
            request.gone.set(true);
        }
        assert_eq!(numbers(&mut queue), [9_999]);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn a_full_line_refuses_its_own_newest_and_abandoned_requests_make_room_first() {
        let mut queue = FairQueue::new(100, 3);
        let waiting: Vec<_> = (0..3).map(request).collect();
        for request in &waiting {
            assert!(queue.push(address(1), request.clone()).is_none());
        }
        assert_eq!(queue.push(address(1), request(3)).unwrap().number, 3);
        assert!(
            queue.push(address(2), request(4)).is_none(),
            "another address was refused"
        );
        waiting[1].gone.set(true);
        assert!(
            queue.push(address(1), request(5)).is_none(),
            "an abandoned request kept its place"
        );
        assert_eq!(numbers(&mut queue), [0, 4, 2, 5]);
    }

    #[test]
    fn where_the_queue_is_full_the_longest_line_makes_room_for_an_address_with_fewer() {
        let mut queue = FairQueue::new(4, 4);
        for n in 0..4 {
            assert!(queue.push(address(1), request(n)).is_none());
        }
        assert_eq!(
            queue.push(address(1), request(4)).unwrap().number,
            4,
            "its own line is the longest"
        );
        assert_eq!(
            queue.push(address(2), request(5)).unwrap().number,
            3,
            "the newest of the longest line"
        );
        assert_eq!(queue.push(address(2), request(6)).unwrap().number, 2);
        assert_eq!(
            queue.push(address(2), request(7)).unwrap().number,
            7,
            "both have the same"
        );
        assert_eq!(
            queue.push(address(3), request(8)).map(|request| request.number < 8),
            Some(true)
        );
        assert_eq!(queue.len(), 4);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let mut queue = FairQueue::new(100, 1);
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(queue.push(ip("2001:db8:1:2::1"), request(1)).is_none());
        assert!(queue.push(ip("2001:db8:1:2:ffff::9"), request(2)).is_some());
        assert!(queue.push(ip("2001:db8:1:3::1"), request(3)).is_none());
    }
}
