//! Which names an address was the answer for.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// How many names of addresses are remembered: with the longest names, these are 10 MiB.
const MOST: usize = 32_768;
/// How many of them are of one address.
const MOST_NAMES: usize = 64;

/// A program resolves a name, and may connect a little later than the answer is valid.
const LEAST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A name for which an address was the answer, and until when.
type Known = (String, Instant);

/// The answers that were given, until their time to live is over.
#[derive(Debug, Default)]
pub struct Memory {
    addresses: HashMap<IpAddr, Vec<Known>>,
    /// How many names there are.
    count: usize,
}

impl Memory {
    /// Remembers that an address is the answer for a name. `ttl` is in seconds.
    pub fn add(&mut self, address: IpAddr, name: &str, ttl: u32) {
        let now = Instant::now();
        let until = now + Duration::from_secs(ttl.into()).clamp(LEAST, LONGEST);
        if self.count >= MOST {
            self.forget(now);
        }
        let names = self.addresses.entry(address).or_default();
        let before = names.len();
        names.retain(|(known, end)| known != name && *end > now);
        if names.len() >= MOST_NAMES {
            names.remove(0);
        }
        names.push((name.to_owned(), until));
        self.count = self.count + names.len() - before;
    }

    /// The names for which an address was the answer.
    pub fn names(&self, address: IpAddr) -> Vec<String> {
        let now = Instant::now();
        let names = self.addresses.get(&address).into_iter().flatten();
        names.filter(|(_, until)| *until > now).map(|(name, _)| name.clone()).collect()
    }

    /// Makes room: forgets what is over, or else the half that would be forgotten first, so that this is seldom done.
    fn forget(&mut self, now: Instant) {
        self.keep_after(now);
        if self.count < MOST / 2 {
            return;
        }
        let mut ends: Vec<_> = self.addresses.values().flatten().map(|(_, until)| *until).collect();
        let middle = ends.len() / 2;
        let (_, end, _) = ends.select_nth_unstable(middle);
        self.keep_after(*end);
    }

    fn keep_after(&mut self, end: Instant) {
        self.addresses.retain(|_, names| {
            names.retain(|(_, until)| *until > end);
            !names.is_empty()
        });
        self.count = self.addresses.values().map(Vec::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_a_bound() {
        let mut memory = Memory::default();
        for number in 0..100_000_u32 {
            memory.add(IpAddr::V4((number / 50).into()), &format!("{}.test", number % 50), 60);
            assert!(memory.count <= MOST);
        }
        assert_eq!(memory.count, memory.addresses.values().map(Vec::len).sum::<usize>());
        assert!(memory.names(IpAddr::V4(1999.into())).contains(&"49.test".to_owned()));
        let address = IpAddr::V4(1.into());
        for number in 0..1000 {
            memory.add(address, &format!("{number}.test"), 60);
        }
        assert_eq!(memory.names(address).len(), MOST_NAMES);
        assert!(memory.names(address).contains(&"999.test".to_owned()));
    }
}
