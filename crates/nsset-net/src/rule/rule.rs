//! A rule, as the kernel describes it, and as it is added.

use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{
    action::RuleAction,
    range::{PortRange, UidRange},
};
use crate::family::Family;

/// A rule. Every rule of a list has a priority, a table or a target, and an action; a field that is left out of a new rule has its
/// default, and one that is left out of a rule to delete matches any value.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub family: Family,
    /// Rules are tried from the lowest priority to the highest.
    pub priority: Option<u32>,
    /// Only packets from this network.
    pub from: Option<IpNet>,
    /// Only packets to this network.
    pub to: Option<IpNet>,
    /// Only packets with this type of service.
    pub tos: Option<u8>,
    /// Only packets that arrive through the link with this name.
    pub iif: Option<String>,
    /// Only packets of sockets that are bound to the link with this name.
    pub oif: Option<String>,
    /// Only packets with this mark, in the bits of `fwmask`.
    pub fwmark: Option<u32>,
    pub fwmask: Option<u32>,
    /// Only packets of sockets of these users.
    pub uid_range: Option<UidRange>,
    /// Only packets of this protocol.
    pub ip_proto: Option<u8>,
    /// Only packets from these ports.
    pub sport: Option<PortRange>,
    /// Only packets to these ports.
    pub dport: Option<PortRange>,
    /// Only packets from the tunnel with this id.
    pub tunnel_id: Option<u64>,
    /// Whether the rule is for the packets that do not match.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invert: bool,
    /// Default: goto if there is a target, otherwise lookup.
    pub action: Option<RuleAction>,
    /// The table to search. Default: 254, `main`.
    pub table: Option<u32>,
    /// Whether the table is that of the VRF of the packet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub l3mdev: bool,
    /// The priority of the rule at which the search continues.
    pub goto: Option<u32>,
    /// Routes with a prefix of at most this length do not count.
    pub suppress_prefix_length: Option<u32>,
    /// Routes through links of this group do not count.
    pub suppress_link_group: Option<u32>,
    /// The realms for accounting, IPv4.
    pub realm: Option<u32>,
    /// What added the rule.
    pub protocol: Option<u8>,
}

impl Rule {
    pub(super) const fn of(family: Family) -> Self {
        Self {
            family,
            priority: None,
            from: None,
            to: None,
            tos: None,
            iif: None,
            oif: None,
            fwmark: None,
            fwmask: None,
            uid_range: None,
            ip_proto: None,
            sport: None,
            dport: None,
            tunnel_id: None,
            invert: false,
            action: None,
            table: None,
            l3mdev: false,
            goto: None,
            suppress_prefix_length: None,
            suppress_link_group: None,
            realm: None,
            protocol: None,
        }
    }

    /// Returns whether a rule has all values that this one gives.
    pub(super) fn matches(&self, rule: &Self) -> bool {
        self.matches_in_kernel(rule) && (!self.invert || rule.invert) && is(self.goto, rule.goto)
    }

    /// Returns whether the kernel takes a rule for this one when it deletes: rule_find() of net/core/fib_rules.c, which compares
    /// neither `invert` nor `goto`.
    pub(super) fn matches_in_kernel(&self, rule: &Self) -> bool {
        self.family == rule.family
            && is(self.priority, rule.priority)
            && is(self.from.filter(|net| net.prefix_len() > 0), rule.from)
            && is(self.to.filter(|net| net.prefix_len() > 0), rule.to)
            && is(self.tos, rule.tos)
            && is(self.iif.as_ref(), rule.iif.as_ref())
            && is(self.oif.as_ref(), rule.oif.as_ref())
            && is(self.fwmark, rule.fwmark)
            && is(self.fwmask, rule.fwmask)
            && is(self.uid_range, rule.uid_range)
            && is(self.ip_proto, rule.ip_proto)
            && is(self.sport, rule.sport)
            && is(self.dport, rule.dport)
            && is(self.tunnel_id, rule.tunnel_id)
            && is(self.action, rule.action)
            && is(self.table, rule.table)
            && (!self.l3mdev || rule.l3mdev)
            && is(self.suppress_prefix_length, rule.suppress_prefix_length)
            && is(self.suppress_link_group, rule.suppress_link_group)
            && is(self.realm, rule.realm)
            && is(self.protocol, rule.protocol)
    }
}

fn is<T: PartialEq>(wanted: Option<T>, found: Option<T>) -> bool {
    wanted.is_none() || wanted == found
}

impl fmt::Display for Rule {
    /// As ip-rule(8) writes it, in short.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("rule")?;
        if let Some(priority) = self.priority {
            write!(formatter, " {priority}:")?;
        }
        for (name, net) in [("from", self.from), ("to", self.to)] {
            if let Some(net) = net {
                write!(formatter, " {name} {net}")?;
            }
        }
        for (name, number) in [("fwmark", self.fwmark), ("lookup", self.table), ("goto", self.goto)] {
            if let Some(number) = number {
                write!(formatter, " {name} {number}")?;
            }
        }
        Ok(())
    }
}
