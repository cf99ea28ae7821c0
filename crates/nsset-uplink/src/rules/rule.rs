//! One rule.

use std::{net::IpAddr, ops::RangeInclusive};

use ipnet::IpNet;

use crate::rules::NamePattern;

/// The protocol of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    Tcp,
    Udp,
    /// Echo requests.
    Icmp,
}

impl Protocol {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
        }
    }
}

/// What a rule is about. A rule without a name and without a range is about every address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub name: Option<NamePattern>,
    pub range: Option<IpNet>,
    /// `None` for all ports, and for protocols without ports.
    pub ports: Option<RangeInclusive<u16>>,
    /// `None` for all protocols.
    pub protocol: Option<Protocol>,
}

impl Rule {
    /// Whether the rule is about flows with this protocol and port, to whatever address.
    pub fn fits(&self, protocol: Protocol, port: u16) -> bool {
        let fits_protocol = self.protocol.is_none_or(|own| own == protocol);
        let fits_port = match &self.ports {
            None => true,
            Some(ports) => protocol != Protocol::Icmp && ports.contains(&port),
        };
        fits_protocol && fits_port
    }

    /// Whether the rule has a range with this address.
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.range.is_some_and(|range| range.contains(&address))
    }

    /// Whether the rule is about every address.
    pub fn has_every_address(&self) -> bool {
        self.range.is_none() && self.name.is_none()
    }

    pub fn has_name(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|pattern| pattern.matches(name))
    }

    /// Whether the rule names a closed range or a part of it, and so opens it: `0.0.0.0/0` does not open `10.0.0.0/8`.
    pub fn opens(&self, closed: IpNet) -> bool {
        self.range.is_some_and(|range| closed.contains(&range))
    }

    /// Whether the rule names exactly one address.
    pub fn is_one_address(&self) -> bool {
        self.range.is_some_and(|range| range.prefix_len() == range.max_prefix_len())
    }
}
