//! A filter as a tree.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::program::Size;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    Test(Test),
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
}

/// What is asked of a packet, and where in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    pub position: usize,
    pub question: Question,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The number of a protocol over Ethernet.
    EtherType(u16),
    /// The number of a protocol over IP: of one version, or of either.
    OverIp {
        version: Option<IpVersion>,
        number: u8,
    },
    Address {
        of: Option<Addressing>,
        end: End,
        network: Network,
    },
    Hardware {
        end: End,
        address: [u8; 6],
    },
    /// The packet is for all, or for many.
    Group(Group),
    Ports {
        transport: Option<u8>,
        end: End,
        first: u16,
        last: u16,
    },
    Vlan(Option<u16>),
    Bytes(Bytes),
    LengthAtMost(u32),
    LengthAtLeast(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpVersion {
    V4,
    V6,
}

/// The protocols whose packets have addresses of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    V4,
    V6,
    Arp,
    Rarp,
}

/// The end of which something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Source,
    Destination,
    Either,
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    V4 { address: Ipv4Addr, mask: u32 },
    V6 { address: Ipv6Addr, mask: u128 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    EtherBroadcast,
    EtherMulticast,
    Ipv4Multicast,
    Ipv6Multicast,
}

/// A number in the bytes of a protocol, compared with a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes {
    pub of: Layer,
    pub offset: u32,
    pub size: Size,
    pub mask: u32,
    pub relation: Relation,
    pub value: u32,
}

/// Whose bytes they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    Ether,
    /// A protocol over Ethernet, by its number.
    Network(u16),
    /// A protocol over IP: its number, and the version of IP that it needs.
    Transport(u8, Option<IpVersion>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}
