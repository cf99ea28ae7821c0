//! How long connection tracking remembers connections in each of their states.

use serde::{Deserialize, Serialize};
use serde_with::{Map, serde_as};

use super::protocol::{Network, Transport};
use crate::{
    firewall::{
        expression::field::{Field as _, Nested, fields},
        family::Family,
    },
    netlink::{
        attributes::{Attributes, Malformed},
        nfnetlink::writer::Writer,
    },
};

/// The name of a state, and how long connections are remembered in it, in milliseconds.
pub type Policy = Vec<(String, u64)>;

/// How long connection tracking remembers connections.
#[serde_as]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timeout {
    pub protocol: Transport,
    /// Without the states that have the default value of the kernel.
    #[serde_as(as = "Map<_, _>")]
    pub policy: Policy,
    /// If it is not that of the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Network>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A state, its `CTA_TIMEOUT_*` of linux/netfilter/nfnetlink_cttimeout.h, and the kernel's default value in seconds.
type State = (&'static str, u16, u32);

/// tcp_timeouts of net/netfilter/nf_conntrack_proto_tcp.c.
const OF_TCP: &[State] = &[
    ("synSent", 1, 120),
    ("synRecv", 2, 60),
    ("established", 3, 432_000),
    ("finWait", 4, 120),
    ("closeWait", 5, 60),
    ("lastAck", 6, 30),
    ("timeWait", 7, 120),
    ("close", 8, 10),
    ("synSent2", 9, 120),
    ("retransmitted", 10, 300),
    ("unacknowledged", 11, 300),
];

/// udp_timeouts of net/netfilter/nf_conntrack_proto_udp.c.
const OF_UDP: &[State] = &[("unreplied", 1, 30), ("replied", 2, 120)];

fn states(protocol: Transport) -> &'static [State] {
    match protocol {
        Transport::Tcp => OF_TCP,
        Transport::Udp => OF_UDP,
    }
}

fields! {
    /// `NFTA_CT_TIMEOUT_*`.
    Data { 1 => network: Option<u16>, 2 => transport: u8, 3 => policy: Nested }
}

impl Timeout {
    pub(super) fn write(&self, writer: &mut Writer) {
        let mut policy = Writer::default();
        for (name, attribute, _) in states(self.protocol) {
            if let Some((_, milliseconds)) = self.policy.iter().find(|(known, _)| known == name) {
                ((*milliseconds / 1000) as u32).write(*attribute, &mut policy);
            }
        }
        let policy = Nested(policy.bytes().to_vec());
        let (network, transport) = (self.family.map(Network::number), self.protocol.number());
        Data { network, transport, policy }.write(writer);
    }

    /// Returns `None` for one of a protocol that has no name here.
    pub(super) fn read(data: &[u8], comment: Option<String>, table: Family) -> Result<Option<Self>, Malformed> {
        let Data { network, transport, policy: Nested(written) } = Data::read_fields(data)?;
        let family = network.map_or(Some(None), |network| Network::beside(network, table));
        let (Some(protocol), Some(family)) = (Transport::of(transport), family) else { return Ok(None) };
        let mut policy = Policy::new();
        for attribute in Attributes::within(&written) {
            let (kind, value) = attribute?;
            let Some((name, _, default)) = states(protocol).iter().find(|(_, known, _)| *known == kind) else {
                continue;
            };
            let seconds = u32::read(Some(value))?;
            if seconds != *default {
                policy.push(((*name).to_owned(), 1000 * u64::from(seconds)));
            }
        }
        Ok(Some(Self { protocol, policy, family, comment }))
    }

    /// Returns the time of each state in seconds.
    fn times(&self) -> Vec<u64> {
        let time = |(name, _, default): &State| {
            let given = self.policy.iter().find(|(known, _)| known == name);
            given.map_or(u64::from(*default), |(_, milliseconds)| milliseconds / 1000)
        };
        states(self.protocol).iter().map(time).collect()
    }
}

/// A state whose default value is given is like one that is omitted.
impl PartialEq for Timeout {
    fn eq(&self, other: &Self) -> bool {
        self.protocol == other.protocol
            && self.family == other.family
            && self.comment == other.comment
            && self.times() == other.times()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeout(policy: &[(&str, u64)]) -> Timeout {
        let policy = policy.iter().map(|(name, time)| ((*name).to_owned(), *time)).collect();
        Timeout { protocol: Transport::Udp, policy, family: None, comment: None }
    }

    #[test]
    fn default_values_are_like_none() {
        assert_eq!(timeout(&[]), timeout(&[("unreplied", 30_000), ("replied", 120_000)]));
        assert_ne!(timeout(&[]), timeout(&[("unreplied", 31_000)]));
    }
}
