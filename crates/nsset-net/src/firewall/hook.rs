//! Where and when a base chain gets packets.

use serde::{Deserialize, Serialize};

use super::{
    family::Family,
    matching::names::{self, Names},
};

const OF_IP: Names =
    &[("prerouting", 0), ("input", 1), ("forward", 2), ("output", 3), ("postrouting", 4), ("ingress", 5)];
const OF_ARP: Names = &[("input", 0), ("output", 1)];
const OF_NETDEV: Names = &[("ingress", 0), ("egress", 1)];

fn hooks(family: Family) -> Names {
    match family {
        Family::Arp => OF_ARP,
        Family::Netdev => OF_NETDEV,
        _ => OF_IP,
    }
}

/// Returns the number of a hook.
pub(crate) fn number(family: Family, name: &str) -> Option<u32> {
    names::number(hooks(family), name).map(|number| number as u32)
}

/// Returns the name of a hook.
pub(crate) fn name(family: Family, number: u32) -> Option<&'static str> {
    names::name(hooks(family), number.into())
}

/// A priority: a number, or the name of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Priority {
    Number(i32),
    Name(String),
}

/// The names of nft(8), which the families of bridges have for other numbers.
const OF_ROUTED: &[(&str, i32)] =
    &[("raw", -300), ("mangle", -150), ("dstnat", -100), ("filter", 0), ("security", 50), ("srcnat", 100)];
const OF_BRIDGE: &[(&str, i32)] = &[("dstnat", -300), ("filter", -200), ("out", 100), ("srcnat", 300)];

fn priorities(family: Family) -> &'static [(&'static str, i32)] {
    if family == Family::Bridge { OF_BRIDGE } else { OF_ROUTED }
}

impl Priority {
    pub(crate) fn number(&self, family: Family) -> Option<i32> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Name(name) => priorities(family).iter().find(|(known, _)| known == name).map(|(_, number)| *number),
        }
    }

    pub(crate) fn of(number: i32, family: Family) -> Self {
        let name = priorities(family).iter().find(|(_, known)| *known == number);
        name.map_or(Self::Number(number), |(name, _)| Self::Name((*name).to_owned()))
    }
}
