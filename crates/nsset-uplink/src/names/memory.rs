//! Which names an address was the answer for.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// How many addresses are remembered.
const MOST_ADDRESSES: usize = 8192;
/// How many names of one address are remembered.
const MOST_NAMES: usize = 64;

/// A program resolves a name, and may connect a little later than the answer is valid.
const LEAST: Duration = Duration::from_secs(30);
const MOST: Duration = Duration::from_secs(24 * 3600);

/// The answers that were given, until their time to live is over.
#[derive(Debug, Default)]
pub struct Memory(HashMap<IpAddr, Vec<(String, Instant)>>);

impl Memory {
    /// Remembers that an address is the answer for a name. `ttl` is in seconds.
    pub fn add(&mut self, address: IpAddr, name: &str, ttl: u32) {
        let now = Instant::now();
        let until = now + Duration::from_secs(ttl.into()).clamp(LEAST, MOST);
        if self.0.len() >= MOST_ADDRESSES && !self.0.contains_key(&address) {
            self.forget(now);
        }
        let names = self.0.entry(address).or_default();
        names.retain(|(known, end)| known != name && *end > now);
        if names.len() >= MOST_NAMES {
            names.remove(0);
        }
        names.push((name.to_owned(), until));
    }

    /// The names for which an address was the answer.
    pub fn names(&self, address: IpAddr) -> Vec<String> {
        let now = Instant::now();
        let names = self.0.get(&address).into_iter().flatten();
        names.filter(|(_, until)| *until > now).map(|(name, _)| name.clone()).collect()
    }

    /// Makes room: forgets what is over, or else the half that would be forgotten first, so that this is seldom done.
    fn forget(&mut self, now: Instant) {
        self.0.retain(|_, names| names.iter().any(|(_, until)| *until > now));
        if self.0.len() < MOST_ADDRESSES {
            return;
        }
        let last = |names: &Vec<(String, Instant)>| names.iter().map(|(_, until)| *until).max();
        let mut ends: Vec<_> = self.0.values().map(last).collect();
        let middle = MOST_ADDRESSES / 2;
        let (_, end, _) = ends.select_nth_unstable(middle);
        let end = *end;
        self.0.retain(|_, names| last(names) > end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_a_bound() {
        let mut memory = Memory::default();
        for number in 0..20_000_u32 {
            memory.add(IpAddr::V4(number.into()), "a.test", 60);
        }
        assert!(memory.0.len() <= MOST_ADDRESSES);
        assert_eq!(memory.names(IpAddr::V4(19_999.into())), ["a.test"]);
        let address = IpAddr::V4(1.into());
        for number in 0..1000 {
            memory.add(address, &format!("{number}.test"), 60);
        }
        assert_eq!(memory.names(address).len(), MOST_NAMES);
        assert!(memory.names(address).contains(&"999.test".to_owned()));
    }
}
