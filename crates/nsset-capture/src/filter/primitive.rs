//! The words before a value: which protocol, which end, and what the value is.

use super::{
    addresses,
    expression::{Addressing, End, Group, IpVersion, Layer, Network, Question},
    layout::{ARP, IPV4, IPV6, RARP},
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Qualifiers {
    pub protocol: Option<Protocol>,
    pub end: Option<End>,
    pub what: Option<What>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Ether,
    Ipv4,
    Ipv6,
    Arp,
    Rarp,
    /// A protocol over IP: its number, and the version of IP that it needs.
    Over(u8, Option<IpVersion>),
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Host,
    Net,
    Port,
    PortRange,
    Proto,
}

const OVER_IP: [(&str, u8, Option<IpVersion>); 12] = [
    ("tcp", 6, None),
    ("udp", 17, None),
    ("sctp", 132, None),
    ("icmp", 1, Some(IpVersion::V4)),
    ("icmp6", 58, Some(IpVersion::V6)),
    ("igmp", 2, Some(IpVersion::V4)),
    ("esp", 50, None),
    ("ah", 51, None),
    ("pim", 103, None),
    ("vrrp", 112, Some(IpVersion::V4)),
    ("gre", 47, None),
    ("ospf", 89, None),
];

/// Those of `OVER_IP` that are only names of values in tcpdump.
const ONLY_VALUES: [&str; 2] = ["gre", "ospf"];

impl Protocol {
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "ether" => Self::Ether,
            "ip" => Self::Ipv4,
            "ip6" => Self::Ipv6,
            "arp" => Self::Arp,
            "rarp" => Self::Rarp,
            _ if ONLY_VALUES.contains(&word) => return None,
            _ => {
                let (_, number, version) = OVER_IP.iter().find(|(name, ..)| *name == word)?;
                Self::Over(*number, *version)
            }
        })
    }

    /// What the name of the protocol asks alone.
    pub const fn alone(self) -> Option<Question> {
        Some(match self {
            Self::Ether => return None,
            Self::Ipv4 => Question::EtherType(IPV4),
            Self::Ipv6 => Question::EtherType(IPV6),
            Self::Arp => Question::EtherType(ARP),
            Self::Rarp => Question::EtherType(RARP),
            Self::Over(number, version) => Question::OverIp { version, number },
        })
    }
}

impl Protocol {
    /// The layer whose bytes can be asked.
    pub const fn layer(self) -> Layer {
        match self {
            Self::Ether => Layer::Ether,
            Self::Ipv4 => Layer::Network(IPV4),
            Self::Ipv6 => Layer::Network(IPV6),
            Self::Arp => Layer::Network(ARP),
            Self::Rarp => Layer::Network(RARP),
            Self::Over(number, version) => Layer::Transport(number, version),
        }
    }
}

impl What {
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "host" => Self::Host,
            "net" => Self::Net,
            "port" => Self::Port,
            "portrange" => Self::PortRange,
            "proto" => Self::Proto,
            _ => return None,
        })
    }

    /// What a value is, for messages.
    pub fn example(self, protocol: Option<Protocol>) -> &'static str {
        match self {
            Self::Host if protocol == Some(Protocol::Ether) => "a hardware address, such as 02:00:00:00:00:01",
            Self::Host => "an IP address",
            Self::Net => "a network, such as 10.0.0.0/8",
            Self::Port => "a port, as a number",
            Self::PortRange => "a range of ports, such as 8000-8080",
            Self::Proto => "a protocol",
        }
    }
}

pub fn end(word: &str) -> Option<End> {
    match word {
        "src" => Some(End::Source),
        "dst" => Some(End::Destination),
        _ => None,
    }
}

pub fn group(protocol: Option<Protocol>, word: &str) -> Option<Question> {
    let group = match (protocol, word) {
        (None | Some(Protocol::Ether), "broadcast") => Group::EtherBroadcast,
        (None | Some(Protocol::Ether), "multicast") => Group::EtherMulticast,
        (Some(Protocol::Ipv4), "multicast") => Group::Ipv4Multicast,
        (Some(Protocol::Ipv6), "multicast") => Group::Ipv6Multicast,
        _ => return None,
    };
    Some(Question::Group(group))
}

pub fn address(protocol: Option<Protocol>, end: End, network: Network) -> Result<Question, String> {
    let of = match protocol {
        None => None,
        Some(Protocol::Ipv4) => Some(Addressing::V4),
        Some(Protocol::Ipv6) => Some(Addressing::V6),
        Some(Protocol::Arp) => Some(Addressing::Arp),
        Some(Protocol::Rarp) => Some(Addressing::Rarp),
        Some(Protocol::Ether | Protocol::Over(..)) => {
            return Err("an IP address can follow 'ip', 'ip6', 'arp' or 'rarp', or no protocol".into());
        }
    };
    let is_v6 = matches!(network, Network::V6 { .. });
    if of.is_some_and(|of| (of == Addressing::V6) != is_v6) {
        return Err("the address is one of another protocol".into());
    }
    Ok(Question::Address { of, end, network })
}

pub fn ports(what: What, text: &str) -> Option<(u16, u16)> {
    let (first, last) = match what {
        What::PortRange => text.split_once('-')?,
        _ => (text, text),
    };
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

/// The protocols that have ports.
pub fn transport(protocol: Option<Protocol>) -> Result<Option<u8>, String> {
    match protocol {
        None => Ok(None),
        Some(Protocol::Over(number @ (6 | 17 | 132), _)) => Ok(Some(number)),
        Some(_) => Err("a port can follow 'tcp', 'udp' or 'sctp', or no protocol".into()),
    }
}

/// The number of a protocol over Ethernet, or over IP.
pub fn number_of(protocol: Option<Protocol>, text: &str) -> Result<Question, String> {
    let name = text.trim_start_matches('\\');
    let number = addresses::number(name).ok();
    let expected = || format!("expected a protocol, by name or number, found '{text}'");
    let version = match protocol {
        Some(Protocol::Ether) => {
            let named = Protocol::named(name).and_then(Protocol::alone);
            let numbered = number.and_then(|number| u16::try_from(number).ok()).map(Question::EtherType);
            let named = named.filter(|question| matches!(question, Question::EtherType(_)));
            return named.or(numbered).ok_or_else(expected);
        }
        None => None,
        Some(Protocol::Ipv4) => Some(IpVersion::V4),
        Some(Protocol::Ipv6) => Some(IpVersion::V6),
        Some(_) => return Err("'proto' can follow 'ether', 'ip' or 'ip6', or no protocol".into()),
    };
    let named = OVER_IP.iter().find(|(known, ..)| *known == name).map(|(_, number, _)| *number);
    let number = named.or_else(|| u8::try_from(number?).ok()).ok_or_else(expected)?;
    Ok(Question::OverIp { version, number })
}
