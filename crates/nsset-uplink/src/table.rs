//! All flows, by their two ends.

use std::{collections::HashMap, rc::Rc};

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

pub struct Table {
    entries: HashMap<Key, Entry>,
    most: usize,
}

impl Table {
    /// Uses at most half of the descriptors that the process may have.
    pub fn new() -> Self {
        let half = getrlimit(Resource::RLIMIT_NOFILE).map_or(512, |(soft, _)| usize::try_from(soft / 2).unwrap_or(512));
        Self { entries: HashMap::new(), most: half.min(MOST_FLOWS) }
    }

    pub fn get(&self, key: &Key) -> Option<Entry> {
        self.entries.get(key).cloned()
    }

    pub fn has_room(&self) -> bool {
        self.entries.len() < self.most
    }

    pub fn add(&mut self, key: Key, entry: Entry) {
        self.entries.insert(key, entry);
    }

    pub fn remove(&mut self, key: &Key) {
        self.entries.remove(key);
    }

    pub fn flows(&self) -> impl Iterator<Item = &Flow> {
        self.entries.values().map(Entry::flow)
    }
}
