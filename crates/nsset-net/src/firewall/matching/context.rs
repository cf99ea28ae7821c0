//! What is known about a packet at a place in a rule: nft(8) adds matches for it where they are missing, such as
//! `meta l4proto tcp` before `tcp dport`, and does not list them.

pub(crate) use super::source::Requirement;
use super::source::Source;
use crate::firewall::family::Family;

/// What is compared, and its value that fulfils a requirement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dependency {
    pub source: Source,
    pub value: Vec<u8>,
}

/// `NFT_META_*` of linux/netfilter/nf_tables.h.
const PROTOCOL: u32 = 1;
const IIFTYPE: u32 = 8;
const NFPROTO: u32 = 15;
const L4PROTO: u32 = 16;

/// The type of a frame.
const ETHER_TYPE: Source = Source::Payload(0, 12, 2);

const ETH_P_8021Q: u16 = 0x8100;
const ETH_P_IP: u16 = 0x0800;
const ETH_P_ARP: u16 = 0x0806;
const ETH_P_IPV6: u16 = 0x86dd;

impl Requirement {
    /// Returns the match of a family that checks this; `None` if the family has only such packets.
    pub fn dependency(self, family: Family) -> Option<Dependency> {
        let has_frames = matches!(family, Family::Bridge | Family::Netdev);
        let (source, value) = match (self, family) {
            (Self::Ipv4, Family::Ip) | (Self::Ipv6, Family::Ip6) | (Self::Arp, Family::Arp) => return None,
            (Self::Ether, _) if has_frames || family == Family::Arp => return None,
            (Self::Ether, _) => (Source::Meta(IIFTYPE), 1u16.to_ne_bytes().to_vec()),
            (Self::Vlan, _) => (ETHER_TYPE, ETH_P_8021Q.to_be_bytes().to_vec()),
            (Self::Ipv4, _) if has_frames => (Source::Meta(PROTOCOL), ETH_P_IP.to_be_bytes().to_vec()),
            (Self::Ipv6, _) if has_frames => (Source::Meta(PROTOCOL), ETH_P_IPV6.to_be_bytes().to_vec()),
            (Self::Arp, _) => (Source::Meta(PROTOCOL), ETH_P_ARP.to_be_bytes().to_vec()),
            (Self::Ipv4, _) => (Source::Meta(NFPROTO), vec![2]),
            (Self::Ipv6, _) => (Source::Meta(NFPROTO), vec![10]),
            (Self::Protocol(number), _) => (Source::Meta(L4PROTO), vec![number]),
        };
        Some(Dependency { source, value })
    }

    /// Whether nft(8) checks this of its own accord by a field of the packet.
    pub fn is_checked_by(self, source: Source) -> bool {
        matches!(source, Source::Meta(_)) || self == Self::Vlan
    }

    /// Returns what a packet is whose selector has this value.
    pub fn implied(source: Source, value: &[u8]) -> Option<Self> {
        use Source::{Meta, Payload};
        match (source, value) {
            (Meta(IIFTYPE), [1, 0]) => Some(Self::Ether),
            (Meta(NFPROTO), [2]) | (Meta(PROTOCOL) | Payload(0, 12, 2), [8, 0]) => Some(Self::Ipv4),
            (Meta(PROTOCOL) | Payload(0, 12, 2), [8, 6]) => Some(Self::Arp),
            (Meta(NFPROTO), [10]) | (Meta(PROTOCOL) | Payload(0, 12, 2), [0x86, 0xdd]) => Some(Self::Ipv6),
            (ETHER_TYPE, [0x81, 0]) => Some(Self::Vlan),
            (Meta(L4PROTO) | Payload(1, 9 | 6, 1), [number]) => Some(Self::Protocol(*number)),
            _ => None,
        }
    }
}

/// What is known about the packets that come to a place in a rule.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    family: Family,
    known: Vec<Requirement>,
}

impl Context {
    pub fn new(family: Family) -> Self {
        Self { family, known: Vec::new() }
    }

    pub fn family(&self) -> Family {
        self.family
    }

    pub fn learn(&mut self, requirement: Requirement) {
        if !self.known.contains(&requirement) {
            self.known.push(requirement);
        }
    }

    /// Whether every packet that comes here fulfils all of these.
    pub fn knows(&self, requirements: &[Requirement]) -> bool {
        requirements.iter().all(|wanted| self.known.contains(wanted) || wanted.dependency(self.family).is_none())
    }
}
