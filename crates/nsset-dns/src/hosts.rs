//! hosts(5): names whose addresses are known.

use std::{collections::HashMap, net::IpAddr};

use crate::{family::Family, host_name::HostName};

/// The names of a hosts(5) file with their addresses, in the order of its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    addresses: HashMap<String, Vec<IpAddr>>,
}

impl Hosts {
    /// Reads the text of a file. What is no line of an address and names is passed over, as other resolvers do.
    pub fn parse(text: &str) -> Self {
        let mut hosts = Self::default();
        for line in text.lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let Some(Ok(address)) = words.next().map(str::parse) else { continue };
            words.filter_map(HostName::parse).for_each(|name| hosts.insert(&name, address));
        }
        hosts
    }

    fn insert(&mut self, name: &HostName, address: IpAddr) {
        let addresses = self.addresses.entry(name.as_str().to_owned()).or_default();
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }

    pub(crate) fn get(&self, name: &HostName, family: Family) -> Vec<IpAddr> {
        let addresses = self.addresses.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
        addresses.iter().copied().filter(|address| family.has(*address)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# a comment\n\
10.0.0.7\tdb DB.lab.test # the database\n\
fd00::7 db\n\
10.0.0.8 db\n\
10.0.0.7 db\n\
not-an-address x\n\
10.0.0.9\n\
10.0.0.300 y\n\
10.0.0.10 bad..name good\r\n";

    fn get(name: &str, family: Family) -> Vec<String> {
        let addresses = Hosts::parse(TEXT).get(&HostName::parse(name).unwrap(), family);
        addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_name_has_the_addresses_of_all_its_lines() {
        assert_eq!(get("db", Family::Any), ["10.0.0.7", "fd00::7", "10.0.0.8"]);
        assert_eq!(get("db", Family::V6), ["fd00::7"]);
        assert_eq!(get("Db.Lab.Test.", Family::V4), ["10.0.0.7"]);
        assert_eq!(get("good", Family::Any), ["10.0.0.10"]);
    }

    #[test]
    fn what_is_no_line_of_an_address_and_names_is_passed_over() {
        assert_eq!(get("x", Family::Any), [""; 0]);
        assert_eq!(get("y", Family::Any), [""; 0]);
        assert_eq!(get("database", Family::Any), [""; 0]);
    }
}
