//! Conditions about a packet, of which filters are made.

/// A condition. `All` of none is true, `Any` of none is false.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    Is(Comparison),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

/// A value of the packet, compared with a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub load: Load,
    /// The bits that are compared.
    pub mask: u32,
    pub operator: Operator,
    pub value: u32,
}

/// A value of the packet, and the bits of it that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    pub load: Load,
    pub mask: u32,
}

impl Comparison {
    pub const fn value(self) -> Value {
        Value { load: self.load, mask: self.mask }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    Greater,
    AtLeast,
}

/// A value of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// A number at an offset, in network byte order.
    At { offset: u32, size: Size },
    /// A number at an offset behind the IPv4 header that is at `network`.
    BehindIpv4 { network: u32, offset: u32, size: Size },
    /// The length of the packet.
    Length,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Byte,
    Half,
    Word,
}

/// What the kernel knows of a packet besides its bytes: `SKF_AD_*` of linux/filter.h.
pub mod extension {
    use super::{Load, Size};

    /// `SKF_AD_OFF`
    const BASE: u32 = 0xffff_f000;

    const fn at(offset: u32) -> Load {
        Load::At { offset: BASE + offset, size: Size::Word }
    }

    /// The protocol of the network layer.
    pub const PROTOCOL: Load = at(0);
    /// `PACKET_OUTGOING` and others: packet(7).
    pub const PACKET_TYPE: Load = at(4);
    pub const LINK_INDEX: Load = at(8);
    /// The VLAN tag that the kernel has taken out of the packet.
    pub const VLAN_TAG: Load = at(44);
    pub const HAS_VLAN_TAG: Load = at(48);
}

impl Condition {
    pub const fn equal(load: Load, value: u32) -> Self {
        Self::masked(load, u32::MAX, value)
    }

    pub const fn masked(load: Load, mask: u32, value: u32) -> Self {
        Self::Is(Comparison { load, mask, operator: Operator::Equal, value })
    }

    pub const fn at_least(load: Load, value: u32) -> Self {
        Self::Is(Comparison { load, mask: u32::MAX, operator: Operator::AtLeast, value })
    }

    pub const fn greater(load: Load, value: u32) -> Self {
        Self::Is(Comparison { load, mask: u32::MAX, operator: Operator::Greater, value })
    }

    /// What it is about, if that is one value.
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Is(comparison) => Some(comparison.value()),
            Self::Not(inner) => inner.value(),
            Self::All(_) | Self::Any(_) => None,
        }
    }

    pub fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}
