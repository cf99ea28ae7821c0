//! All flows, by their two ends.

use std::{
    collections::HashMap,
    rc::Rc,
    time::{Duration, Instant},
};

use nix::sys::resource::{Resource, getrlimit};

use crate::flows::{Connection, Datagrams, Echoes, Flow, Key};

/// How many flows there are at a time, if the process may have as many descriptors.
const MOST_FLOWS: usize = 10_000;

#[derive(Clone)]
pub enum Entry {
    Tcp(Rc<Connection>),
    Udp(Rc<Datagrams>),
    Icmp(Rc<Echoes>),
}

impl Entry {
    pub fn flow(&self) -> &Flow {
        match self {
            Self::Tcp(connection) => &connection.flow,
            Self::Udp(datagrams) => &datagrams.flow,
            Self::Icmp(echoes) => &echoes.flow,
        }
    }
}

/// How many flows are ended at a time to make room for others, and how many are added until then.
const BATCH: usize = 64;

/// How long the bytes of a connection do not move before it may be ended for the memory of others.
const STALLED: Duration = Duration::from_secs(1);

pub struct Table {
    entries: HashMap<Key, Entry>,
    most: usize,
    /// How many have been added since room was made.
    added: usize,
}

impl Table {
    /// Uses at most half of the descriptors that the process may have.
    pub fn new() -> Self {
        let half = getrlimit(Resource::RLIMIT_NOFILE).map_or(512, |(soft, _)| usize::try_from(soft / 2).unwrap_or(512));
        Self { entries: HashMap::new(), most: half.min(MOST_FLOWS), added: 0 }
    }

    pub fn get(&self, key: &Key) -> Option<Entry> {
        self.entries.get(key).cloned()
    }

    pub fn has_room(&self) -> bool {
        self.entries.len() < self.most
    }

    pub fn add(&mut self, key: Key, entry: Entry) {
        self.added += 1;
        self.entries.insert(key, entry);
    }

    pub fn remove(&mut self, key: &Key) {
        self.entries.remove(key);
    }

    /// Returns flows that should end, if there is little room: the oldest ones of those for which one end has not answered yet. If these
    /// are few, they may be those of other programs: then also flows of datagrams and echo requests, which may begin again at any time, and
    /// of all of them those that have been silent longest.
    pub fn surplus(&mut self) -> Vec<&Flow> {
        let is_roomy = self.entries.len() + self.most / 8 < self.most;
        if is_roomy || self.added < BATCH {
            return Vec::new();
        }
        self.added = 0;
        let waiting = self.flows().filter(|flow| !flow.is_mutual.get() && !flow.is_ended());
        let oldest = first(waiting, |flow| flow.since);
        if oldest.len() == BATCH {
            return oldest;
        }
        let is_connection = |entry: &Entry| matches!(entry, Entry::Tcp(_)) && entry.flow().is_mutual.get();
        let others = self.entries.values().filter(|entry| !is_connection(entry)).map(Entry::flow);
        first(others.filter(|flow| !flow.is_ended()), |flow| flow.used.get())
    }

    /// Frees memory that no byte needs, and returns whether there was some.
    pub fn release(&self) -> bool {
        self.connections().filter(|connection| connection.release()).count() > 0
    }

    /// Returns connections that should end, if there is no memory: those whose bytes have not moved for the longest time.
    pub fn stalled(&self) -> Vec<&Flow> {
        let has_stalled = |connection: &&Connection| {
            !connection.flow.is_ended() && connection.flow.used.get().elapsed() > STALLED && connection.charged() > 0
        };
        first(self.connections().filter(has_stalled).map(|connection| &connection.flow), |flow| flow.used.get())
    }

    fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.entries
            .values()
            .filter_map(|entry| if let Entry::Tcp(connection) = entry { Some(&**connection) } else { None })
    }

    pub fn flows(&self) -> impl Iterator<Item = &Flow> {
        self.entries.values().map(Entry::flow)
    }
}

/// The first ones in the order of a time, as many as are ended at a time.
fn first<'a>(flows: impl Iterator<Item = &'a Flow>, time: impl Fn(&Flow) -> Instant) -> Vec<&'a Flow> {
    let mut flows: Vec<_> = flows.collect();
    if flows.len() > BATCH {
        flows.select_nth_unstable_by_key(BATCH, |flow| time(flow));
        flows.truncate(BATCH);
    }
    flows
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::rules::{Destination, Protocol};

    /// Adds 512 flows, which are all that there may be.
    fn fill(table: &mut Table, protocol: Protocol, is_mutual: impl Fn(u16) -> bool) {
        for port in 0..512 {
            let to = Destination { protocol, address: Ipv4Addr::new(9, 9, 9, 9).into(), port: 1 };
            let from = (Ipv4Addr::new(10, 0, 2, 100), port).into();
            let flow = Flow::new(from, to);
            flow.is_mutual.set(is_mutual(port));
            let key = Key { protocol, from, to: flow.to_place() };
            let is_tcp = protocol == Protocol::Tcp;
            let entry =
                if is_tcp { Entry::Tcp(Connection::new(flow).into()) } else { Entry::Udp(Datagrams::new(flow).into()) };
            table.add(key, entry);
        }
    }

    fn ports(flows: &[&Flow]) -> Vec<u16> {
        let mut ports: Vec<_> = flows.iter().map(|flow| flow.from.port()).collect();
        ports.sort_unstable();
        ports
    }

    fn table() -> Table {
        Table { entries: HashMap::new(), most: 512, added: 0 }
    }

    #[test]
    fn the_oldest_flows_without_an_answer_make_room() {
        let mut table = table();
        fill(&mut table, Protocol::Udp, |port| port % 2 == 0);
        let expected: Vec<_> = (0..BATCH as u16).map(|index| 2 * index + 1).collect();
        assert_eq!(ports(&table.surplus()), expected);
        // Until others have been added.
        assert_eq!(table.surplus().len(), 0);
        table.added = BATCH;
        table.most = 1024;
        assert_eq!(table.surplus().len(), 0);
    }

    #[test]
    fn datagrams_that_were_answered_make_room_and_connections_do_not() {
        let mut table = table();
        // One of another program waits for its answer.
        fill(&mut table, Protocol::Udp, |port| port != 0);
        for flow in table.flows().filter(|flow| flow.from.port() < 100) {
            flow.used.set(Instant::now());
        }
        assert_eq!(ports(&table.surplus()), (100..100 + BATCH as u16).collect::<Vec<_>>());
        let mut table = self::table();
        fill(&mut table, Protocol::Tcp, |_| true);
        assert_eq!(table.surplus().len(), 0);
    }
}
