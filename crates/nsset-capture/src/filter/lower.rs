//! From a filter to a condition about the bytes of a packet.

use super::{
    bytes,
    expression::{Addressing, Bytes, End, Expression, Group, IpVersion, Layer, Network, Question, Test},
    layout::{ARP, IPV4, IPV6, Layout, RARP},
};
use crate::{
    program::{Comparison, Condition, Load, Operator, Size, extension},
    syntax_error::SyntaxError,
};

/// The types of the tags of IEEE 802.1Q, 802.1ad, and what came before the latter.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];

const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;
/// The header of a fragment of IPv6.
const FRAGMENT: u8 = 44;

/// Returns the condition for packets of a layout. A packet of Ethernet can have a VLAN tag: what is asked of it is asked of what is
/// behind the tag. (The kernel takes the tag out of most packets.)
///
/// # Errors
/// If a test needs an Ethernet header, which the packets do not have.
pub fn lower(expression: &Expression, layout: Layout) -> Result<Condition, SyntaxError> {
    let plain = condition(expression, layout)?;
    if !layout.has_ethernet {
        return Ok(plain);
    }
    let behind_tag = condition(expression, Layout::TAGGED)?;
    if plain == behind_tag {
        return Ok(plain);
    }
    let is_tagged = Condition::Any(TAGS.map(|tag| Condition::equal(layout.ether_type, tag.into())).into());
    Ok(Condition::Any(vec![
        Condition::All(vec![is_tagged.clone(), behind_tag]),
        Condition::All(vec![is_tagged.not(), plain]),
    ]))
}

fn condition(expression: &Expression, layout: Layout) -> Result<Condition, SyntaxError> {
    Ok(match expression {
        Expression::Test(test) => of_test(test, layout)?,
        Expression::Not(inner) => condition(inner, layout)?.not(),
        Expression::And(left, right) => Condition::All(vec![condition(left, layout)?, condition(right, layout)?]),
        Expression::Or(left, right) => Condition::Any(vec![condition(left, layout)?, condition(right, layout)?]),
    })
}

fn of_test(test: &Test, layout: Layout) -> Result<Condition, SyntaxError> {
    let needs_ethernet = matches!(
        test.question,
        Question::Hardware { .. }
            | Question::Group(Group::EtherBroadcast | Group::EtherMulticast)
            | Question::Bytes(Bytes { of: Layer::Ether, .. })
    );
    if needs_ethernet && !layout.has_ethernet {
        return Err(SyntaxError::new(test.position, "the packets of this link have no Ethernet header"));
    }
    Ok(match test.question {
        Question::EtherType(number) => layout.is(number),
        Question::OverIp { version, number } => over_ip(layout, version, &[number]),
        Question::Address { of, end, network } => address(layout, of, end, network),
        Question::Hardware { end, address } => at_ends(end, 6, 0, |offset| hardware(offset, address)),
        Question::Group(group) => for_group(layout, group),
        Question::Ports { transport, end, first, last } => ports(layout, transport, end, first, last),
        Question::Vlan(id) => vlan(layout, id),
        Question::Bytes(bytes) => bytes::condition(layout, bytes),
        Question::LengthAtMost(length) => Condition::greater(Load::Length, length).not(),
        Question::LengthAtLeast(length) => Condition::at_least(Load::Length, length),
    })
}

/// Asks something of the value at one offset, or at another.
fn at_ends(end: End, source: u32, destination: u32, ask: impl Fn(u32) -> Condition) -> Condition {
    match end {
        End::Source => ask(source),
        End::Destination => ask(destination),
        End::Either => Condition::Any(vec![ask(source), ask(destination)]),
        End::Both => Condition::All(vec![ask(source), ask(destination)]),
    }
}

fn any_of(load: Load, values: &[u8]) -> Condition {
    Condition::Any(values.iter().map(|value| Condition::equal(load, (*value).into())).collect())
}

fn over_ip(layout: Layout, version: Option<IpVersion>, numbers: &[u8]) -> Condition {
    let v4 = || Condition::All(vec![layout.is(IPV4), any_of(layout.at(9, Size::Byte), numbers)]);
    let next = |offset| layout.at(offset, Size::Byte);
    // Also in the first fragment, and in others, whose header names the protocol.
    let fragment = || Condition::All(vec![any_of(next(6), &[FRAGMENT]), any_of(next(40), numbers)]);
    let v6 = || Condition::All(vec![layout.is(IPV6), Condition::Any(vec![any_of(next(6), numbers), fragment()])]);
    match version {
        Some(IpVersion::V4) => v4(),
        Some(IpVersion::V6) => v6(),
        None => Condition::Any(vec![v4(), v6()]),
    }
}

fn address(layout: Layout, of: Option<Addressing>, end: End, network: Network) -> Condition {
    let within = |protocol, source, destination| {
        let ask = |offset| in_network(layout, offset, network);
        Condition::All(vec![layout.is(protocol), at_ends(end, source, destination, ask)])
    };
    let (v4, arp, rarp, v6) =
        (|| within(IPV4, 12, 16), || within(ARP, 14, 24), || within(RARP, 14, 24), || within(IPV6, 8, 24));
    match (of, network) {
        (None, Network::V4 { .. }) => Condition::Any(vec![v4(), arp(), rarp()]),
        (Some(Addressing::V4), _) => v4(),
        (Some(Addressing::Arp), _) => arp(),
        (Some(Addressing::Rarp), _) => rarp(),
        (None | Some(Addressing::V6), _) => v6(),
    }
}

fn in_network(layout: Layout, offset: u32, network: Network) -> Condition {
    match network {
        Network::V4 { address, mask } => masked_word(layout.at(offset, Size::Word), mask, address.to_bits()),
        Network::V6 { address, mask } => {
            let (address, mask) = (address.to_bits(), mask);
            let word = |index: u32| {
                let shift = 96 - 32 * index;
                let at = layout.at(offset + 4 * index, Size::Word);
                masked_word(at, (mask >> shift) as u32, (address >> shift) as u32)
            };
            Condition::All((0..4).map(word).collect())
        }
    }
}

fn masked_word(load: Load, mask: u32, value: u32) -> Condition {
    if mask == 0 { Condition::All(vec![]) } else { Condition::masked(load, mask, value) }
}

fn hardware(offset: u32, address: [u8; 6]) -> Condition {
    let (first, last) = address.split_at(2);
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
    Condition::All(vec![
        Condition::equal(Load::At { offset: offset + 2, size: Size::Word }, number(last)),
        Condition::equal(Load::At { offset, size: Size::Half }, number(first)),
    ])
}

fn for_group(layout: Layout, group: Group) -> Condition {
    match group {
        Group::EtherBroadcast => hardware(0, [0xff; 6]),
        Group::EtherMulticast => Condition::masked(Load::At { offset: 0, size: Size::Byte }, 1, 1),
        Group::Ipv4Multicast => {
            Condition::All(vec![layout.is(IPV4), Condition::at_least(layout.at(16, Size::Byte), 224)])
        }
        Group::Ipv6Multicast => Condition::All(vec![layout.is(IPV6), Condition::equal(layout.at(24, Size::Byte), 255)]),
    }
}

fn ports(layout: Layout, transport: Option<u8>, end: End, first: u16, last: u16) -> Condition {
    let transports = transport.map_or_else(|| vec![TCP, UDP, SCTP], |one| vec![one]);
    let v4 = Condition::All(vec![
        layout.is(IPV4),
        any_of(layout.at(9, Size::Byte), &transports),
        // Only the first fragment has ports.
        layout.is_first_fragment(),
        at_ends(end, 0, 2, |offset| {
            between(Load::BehindIpv4 { network: layout.network, offset, size: Size::Half }, first, last)
        }),
    ]);
    let v6 = Condition::All(vec![
        layout.is(IPV6),
        any_of(layout.at(6, Size::Byte), &transports),
        at_ends(end, 40, 42, |offset| between(layout.at(offset, Size::Half), first, last)),
    ]);
    Condition::Any(vec![v4, v6])
}

fn between(load: Load, first: u16, last: u16) -> Condition {
    if first == last {
        return Condition::equal(load, first.into());
    }
    Condition::All(vec![Condition::at_least(load, first.into()), Condition::greater(load, last.into()).not()])
}

/// The tag that the kernel has taken out of the packet, or the one in it.
fn vlan(layout: Layout, id: Option<u16>) -> Condition {
    let with_id = |load| match id {
        Some(id) => Condition::Is(Comparison { load, mask: 0xfff, operator: Operator::Equal, value: id.into() }),
        None => Condition::All(vec![]),
    };
    let taken_out =
        Condition::All(vec![Condition::masked(extension::HAS_VLAN_TAG, 1, 1), with_id(extension::VLAN_TAG)]);
    if !layout.has_tag {
        return taken_out;
    }
    Condition::Any(vec![taken_out, with_id(Load::At { offset: 14, size: Size::Half })])
}
