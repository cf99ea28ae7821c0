//! Tests of bytes, such as `tcp[13] & 2 != 0`: their words, and what becomes of them.

use super::{
    addresses,
    expression::{Bytes, IpVersion, Layer, Relation},
    layout::{IPV4, IPV6, Layout},
};
use crate::program::{Comparison, Condition, Load, Operator, Size};

/// Names of offsets and of bits: pcap-filter(7).
const NAMES: [(&str, u32); 13] = [
    ("tcpflags", 13),
    ("tcp-fin", 0x01),
    ("tcp-syn", 0x02),
    ("tcp-rst", 0x04),
    ("tcp-push", 0x08),
    ("tcp-ack", 0x10),
    ("tcp-urg", 0x20),
    ("tcp-ece", 0x40),
    ("tcp-cwr", 0x80),
    ("icmptype", 0),
    ("icmpcode", 1),
    ("icmp-echo", 8),
    ("icmp-echoreply", 0),
];

/// Reads a number, or the name of one.
pub fn number(text: &str) -> Option<u32> {
    let named = NAMES.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
    named.or_else(|| addresses::number(text).ok())
}

/// Reads an offset, and how many bytes: `13`, `2:2`.
pub fn place(text: &str) -> Option<(u32, Size)> {
    let (offset, size) = text.split_once(':').unwrap_or((text, "1"));
    let size = match size {
        "1" => Size::Byte,
        "2" => Size::Half,
        "4" => Size::Word,
        _ => return None,
    };
    // No packet is longer, and no sum overflows.
    number(offset).filter(|offset| *offset < 0x10000).map(|offset| (offset, size))
}

pub fn condition(layout: Layout, bytes: Bytes) -> Condition {
    let Bytes { of, offset, size, .. } = bytes;
    match of {
        Layer::Ether => compare(Load::At { offset, size }, bytes),
        Layer::Network(number) => Condition::All(vec![layout.is(number), compare(layout.at(offset, size), bytes)]),
        Layer::Transport(number, version) => {
            let protocol = |offset| Condition::equal(layout.at(offset, Size::Byte), number.into());
            let behind = Load::BehindIpv4 { network: layout.network, offset, size };
            let v4 =
                Condition::All(vec![layout.is(IPV4), protocol(9), layout.is_first_fragment(), compare(behind, bytes)]);
            let v6 = Condition::All(vec![layout.is(IPV6), protocol(6), compare(layout.at(40 + offset, size), bytes)]);
            match version {
                Some(IpVersion::V4) => v4,
                Some(IpVersion::V6) => v6,
                None => Condition::Any(vec![v4, v6]),
            }
        }
    }
}

fn compare(load: Load, Bytes { mask, relation, value, .. }: Bytes) -> Condition {
    let ask = |operator| Condition::Is(Comparison { load, mask, operator, value });
    match relation {
        Relation::Equal => ask(Operator::Equal),
        Relation::NotEqual => ask(Operator::Equal).not(),
        Relation::Greater => ask(Operator::Greater),
        Relation::AtMost => ask(Operator::Greater).not(),
        Relation::AtLeast => ask(Operator::AtLeast),
        Relation::Less => ask(Operator::AtLeast).not(),
    }
}
