//! hosts(5): names with known addresses.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::family::Family;

/// The names of a hosts(5) file with their addresses, in the order of the lines. A name has the addresses of all its lines, as
/// with `multi on` in host.conf(5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    addresses: HashMap<String, Vec<IpAddr>>,
}

impl Hosts {
    /// Parses the text of a file like glibc. Lines without an address and names are skipped.
    pub fn parse(text: &str) -> Self {
        let mut hosts = Self::default();
        for line in text.split('\n') {
            let line = line.split(['#', '\0']).next().unwrap_or_default();
            let mut words = line.split(SPACES).filter(|word| !word.is_empty());
            let Some(Ok(address)) = words.next().map(str::parse) else { continue };
            hosts.insert(words, address);
        }
        hosts
    }

    /// Adds an address to names. A name that a line has twice gets the address once.
    fn insert<'a>(&mut self, names: impl Iterator<Item = &'a str>, address: IpAddr) {
        let mut own: Vec<_> = names.map(str::to_ascii_lowercase).collect();
        own.sort_unstable();
        own.dedup();
        for name in own {
            self.addresses.entry(name).or_default().push(address);
        }
    }

    /// Returns the addresses of a name. The name must be written as in the file, but case does not matter.
    pub(crate) fn get(&self, name: &str, family: Family) -> Vec<IpAddr> {
        let addresses = self.of(name).iter().copied();
        match family {
            Family::Any => addresses.collect(),
            Family::V4 => addresses.filter_map(as_ipv4).map(IpAddr::V4).collect(),
            Family::V6 => addresses.filter(IpAddr::is_ipv6).collect(),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        !self.of(name).is_empty()
    }

    fn of(&self, name: &str) -> &[IpAddr] {
        self.addresses.get(&name.to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The characters of isspace(3).
const SPACES: [char; 5] = [' ', '\t', '\r', '\x0b', '\x0c'];

/// Converts an address for a lookup of only IPv4, for which glibc also uses some IPv6 lines.
fn as_ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Some(Ipv4Addr::LOCALHOST),
        IpAddr::V6(address) => address.to_ipv4_mapped(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# a comment\n\
10.0.0.7\tdb DB.lab.test DB # the database\n\
fd00::7 db\n\
  10.0.0.8 db\n\
10.0.0.7 db\n\
not-an-address x\n\
10.0.0.9\n\
10.0.0.300 y\n\
010.0.0.1 y\n\
127.1 y\n\
fe80::1%eth0 y\n\
::1 local\n\
::ffff:10.0.0.5 mapped\n\
10.0.0.11 cut#off more\n\
10.0.0.12 n\0o\n\
10.0.0.10 strange!name good\r\n\
10.0.0.13 last";

    fn get(name: &str, family: Family) -> Vec<String> {
        Hosts::parse(TEXT).get(name, family).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_name_has_the_addresses_of_all_its_lines() {
        assert_eq!(get("db", Family::Any), ["10.0.0.7", "fd00::7", "10.0.0.8", "10.0.0.7"]);
        assert_eq!(get("db", Family::V6), ["fd00::7"]);
        assert_eq!(get("Db.Lab.Test", Family::V4), ["10.0.0.7"]);
        assert_eq!(get("good", Family::Any), ["10.0.0.10"]);
        assert_eq!(get("last", Family::Any), ["10.0.0.13"]);
    }

    #[test]
    fn a_name_matches_its_text() {
        assert_eq!(get("strange!name", Family::Any), ["10.0.0.10"]);
        assert_eq!(get("db.", Family::Any), [""; 0]);
        assert_eq!(get("cut", Family::Any), ["10.0.0.11"]);
        assert_eq!(get("n", Family::Any), ["10.0.0.12"]);
        assert_eq!(get("more", Family::Any), [""; 0]);
    }

    #[test]
    fn lines_of_ipv6_that_mean_ipv4_are_both() {
        assert_eq!(get("local", Family::Any), ["::1"]);
        assert_eq!(get("local", Family::V4), ["127.0.0.1"]);
        assert_eq!(get("mapped", Family::V4), ["10.0.0.5"]);
        assert_eq!(get("mapped", Family::V6), ["::ffff:10.0.0.5"]);
    }

    #[test]
    fn lines_without_an_address_and_names_are_skipped() {
        assert_eq!(get("x", Family::Any), [""; 0]);
        assert_eq!(get("y", Family::Any), [""; 0]);
        assert_eq!(get("database", Family::Any), [""; 0]);
    }
}
