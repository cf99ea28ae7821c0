//! The messages about connections: linux/netfilter/nfnetlink_conntrack.h.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{
    connection::{ConnectionDirection, ConnectionEnd, ConnectionIcmp, ConnectionRef, TrackedConnection},
    state::ConnectionState,
    status::ConnectionStatus,
};
use crate::{
    family::{Family, octets},
    netlink::{
        attributes::{Attributes, Malformed, array_at, ip, text, u8_at},
        nfnetlink::{message::NetfilterMessage, writer::Writer},
    },
};

/// `NFNL_SUBSYS_CTNETLINK` of linux/netfilter/nfnetlink.h.
pub(crate) const SUBSYSTEM: u16 = 1;

/// `struct nfgenmsg`.
const HEADER: usize = 4;

/// `IPCTNL_MSG_CT_*`.
pub(super) mod kind {
    pub const GET: u16 = 1;
    pub const DELETE: u16 = 2;
    pub const GET_STATISTICS_OF_CPUS: u16 = 4;
    pub const GET_STATISTICS: u16 = 5;
}

/// `CTA_*`.
mod attribute {
    pub const ORIGINAL: u16 = 1;
    pub const REPLY: u16 = 2;
    pub const STATUS: u16 = 3;
    pub const PROTOCOL_INFO: u16 = 4;
    pub const HELP: u16 = 5;
    pub const TIMEOUT: u16 = 7;
    pub const MARK: u16 = 8;
    pub const ORIGINAL_COUNTERS: u16 = 9;
    pub const REPLY_COUNTERS: u16 = 10;
    pub const ID: u16 = 12;
    pub const ZONE: u16 = 18;
    pub const TIMESTAMP: u16 = 20;
    pub const LABELS: u16 = 22;
}

/// `CTA_TUPLE_*`, `CTA_IP_*` and `CTA_PROTO_*`.
mod tuple {
    pub const ADDRESSES: u16 = 1;
    pub const PROTOCOL: u16 = 2;
    pub const ZONE: u16 = 3;
    pub const IPV4_SOURCE: u16 = 1;
    pub const IPV4_DESTINATION: u16 = 2;
    pub const IPV6_SOURCE: u16 = 3;
    pub const IPV6_DESTINATION: u16 = 4;
    pub const NUMBER: u16 = 1;
    pub const SOURCE_PORT: u16 = 2;
    pub const DESTINATION_PORT: u16 = 3;
    pub const ICMP_ID: u16 = 4;
    pub const ICMP_TYPE: u16 = 5;
    pub const ICMP_CODE: u16 = 6;
    pub const ICMPV6_ID: u16 = 7;
    pub const ICMPV6_TYPE: u16 = 8;
    pub const ICMPV6_CODE: u16 = 9;
}

/// Returns a request about all connections of a family, or of both.
pub(super) fn about(kind: u16, family: Option<Family>) -> NetfilterMessage {
    NetfilterMessage::new(SUBSYSTEM, kind, family.map_or(0, Family::number), |_| {})
}

/// Returns a request to delete a connection.
pub(super) fn delete(connection: &ConnectionRef) -> NetfilterMessage {
    NetfilterMessage::new(SUBSYSTEM, kind::DELETE, connection.family.number(), |writer| {
        writer.nest(attribute::ORIGINAL, |writer| write_direction(connection, writer));
        if let Some(zone) = connection.zone {
            writer.put(attribute::ZONE, &zone.to_be_bytes());
        }
        writer.put_u32(attribute::ID, connection.id);
    })
}

fn write_direction(connection: &ConnectionRef, writer: &mut Writer) {
    let ConnectionDirection { source, destination, icmp, zone, .. } = &connection.original;
    let (from, to) = match connection.family {
        Family::Ipv4 => (tuple::IPV4_SOURCE, tuple::IPV4_DESTINATION),
        Family::Ipv6 => (tuple::IPV6_SOURCE, tuple::IPV6_DESTINATION),
    };
    writer.nest(tuple::ADDRESSES, |writer| {
        writer.put(from, &octets(source.address));
        writer.put(to, &octets(destination.address));
    });
    writer.nest(tuple::PROTOCOL, |writer| {
        writer.put(tuple::NUMBER, &[connection.protocol.number()]);
        for (kind, port) in [(tuple::SOURCE_PORT, source.port), (tuple::DESTINATION_PORT, destination.port)] {
            if let Some(port) = port {
                writer.put(kind, &port.to_be_bytes());
            }
        }
        if let Some(icmp) = icmp {
            let (id, kind, code) = match connection.family {
                Family::Ipv4 => (tuple::ICMP_ID, tuple::ICMP_TYPE, tuple::ICMP_CODE),
                Family::Ipv6 => (tuple::ICMPV6_ID, tuple::ICMPV6_TYPE, tuple::ICMPV6_CODE),
            };
            writer.put(id, &icmp.id.to_be_bytes());
            writer.put(kind, &[icmp.kind]);
            writer.put(code, &[icmp.code]);
        }
    });
    if let Some(zone) = zone {
        writer.put(tuple::ZONE, &zone.to_be_bytes());
    }
}

/// Reads a connection; `None` if it is not one of IP.
pub(crate) fn read(message: &[u8]) -> Result<Option<TrackedConnection>, Malformed> {
    let Some(family) = Family::from_number(u8_at(message, 0)?) else { return Ok(None) };
    let (mut original, mut reply, mut status, mut id) = (None, None, 0, 0);
    let mut connection = Details::default();
    let mut counters = [(None, None); 2];
    for attribute in Attributes::behind(HEADER, message)? {
        match attribute? {
            (attribute::ORIGINAL, value) => original = Some(direction(value)?),
            (attribute::REPLY, value) => reply = Some(direction(value)?),
            (attribute::STATUS, value) => status = word(value)?,
            (attribute::PROTOCOL_INFO, value) => connection.state = state(value)?,
            (attribute::HELP, value) => connection.helper = helper(value)?,
            // In seconds.
            (attribute::TIMEOUT, value) => connection.timeout = Some(1000 * u64::from(word(value)?)),
            (attribute::MARK, value) => connection.mark = Some(word(value)?).filter(|mark| *mark != 0),
            (attribute::ORIGINAL_COUNTERS, value) => counters[0] = counts(value)?,
            (attribute::REPLY_COUNTERS, value) => counters[1] = counts(value)?,
            (attribute::ID, value) => id = word(value)?,
            (attribute::ZONE, value) => connection.zone = Some(short(value)?),
            (attribute::TIMESTAMP, value) => connection.started = started(value)?,
            (attribute::LABELS, value) => connection.labels = labels(value),
            _ => {}
        }
    }
    let (Some((original, protocol)), Some((reply, _))) = (original, reply) else { return Err(Malformed) };
    let counted = |direction, (packets, bytes)| ConnectionDirection { packets, bytes, ..direction };
    let Details { state, helper, timeout, mark, zone, started, labels } = connection;
    Ok(Some(TrackedConnection {
        family,
        protocol: protocol.into(),
        original: counted(original, counters[0]),
        reply: counted(reply, counters[1]),
        state,
        status: ConnectionStatus::all_of(status),
        timeout,
        mark,
        zone,
        labels,
        helper,
        started,
        id,
    }))
}

/// What not every message has.
#[derive(Default)]
struct Details {
    state: Option<ConnectionState>,
    helper: Option<String>,
    timeout: Option<u64>,
    mark: Option<u32>,
    zone: Option<u16>,
    started: Option<SystemTime>,
    labels: Vec<u16>,
}

/// Reads the packets of a direction, and the number of the protocol.
fn direction(value: &[u8]) -> Result<(ConnectionDirection, u8), Malformed> {
    let (mut source, mut destination, mut zone) = (None, None, None);
    let mut protocol = Protocol::default();
    for attribute in Attributes::within(value) {
        match attribute? {
            (tuple::ADDRESSES, value) => {
                for attribute in Attributes::within(value) {
                    match attribute? {
                        (tuple::IPV4_SOURCE | tuple::IPV6_SOURCE, value) => source = Some(ip(value)?),
                        (tuple::IPV4_DESTINATION | tuple::IPV6_DESTINATION, value) => destination = Some(ip(value)?),
                        _ => {}
                    }
                }
            }
            (tuple::PROTOCOL, value) => protocol = Protocol::read(value)?,
            (tuple::ZONE, value) => zone = Some(short(value)?),
            _ => {}
        }
    }
    let (Some(source), Some(destination)) = (source, destination) else { return Err(Malformed) };
    let Protocol { number, source_port, destination_port, icmp } = protocol;
    let direction = ConnectionDirection {
        source: ConnectionEnd { address: source, port: source_port },
        destination: ConnectionEnd { address: destination, port: destination_port },
        icmp,
        zone,
        packets: None,
        bytes: None,
    };
    Ok((direction, number))
}

#[derive(Default)]
struct Protocol {
    number: u8,
    source_port: Option<u16>,
    destination_port: Option<u16>,
    icmp: Option<ConnectionIcmp>,
}

impl Protocol {
    fn read(value: &[u8]) -> Result<Self, Malformed> {
        let mut protocol = Self::default();
        let empty = || ConnectionIcmp { kind: 0, code: 0, id: 0 };
        for attribute in Attributes::within(value) {
            match attribute? {
                (tuple::NUMBER, value) => protocol.number = u8_at(value, 0)?,
                (tuple::SOURCE_PORT, value) => protocol.source_port = Some(short(value)?),
                (tuple::DESTINATION_PORT, value) => protocol.destination_port = Some(short(value)?),
                (tuple::ICMP_ID | tuple::ICMPV6_ID, value) => {
                    protocol.icmp.get_or_insert_with(empty).id = short(value)?;
                }
                (tuple::ICMP_TYPE | tuple::ICMPV6_TYPE, value) => {
                    protocol.icmp.get_or_insert_with(empty).kind = u8_at(value, 0)?;
                }
                (tuple::ICMP_CODE | tuple::ICMPV6_CODE, value) => {
                    protocol.icmp.get_or_insert_with(empty).code = u8_at(value, 0)?;
                }
                _ => {}
            }
        }
        Ok(protocol)
    }
}

/// Reads the state from `CTA_PROTOINFO_*`.
fn state(value: &[u8]) -> Result<Option<ConnectionState>, Malformed> {
    const TCP: u16 = 1;
    const SCTP: u16 = 3;
    const STATE: u16 = 1;
    for attribute in Attributes::within(value) {
        let (kind, value) = attribute?;
        for attribute in Attributes::within(value) {
            match (kind, attribute?) {
                (TCP, (STATE, value)) => return Ok(ConnectionState::of_tcp(u8_at(value, 0)?)),
                (SCTP, (STATE, value)) => return Ok(ConnectionState::of_sctp(u8_at(value, 0)?)),
                _ => {}
            }
        }
    }
    Ok(None)
}

fn helper(value: &[u8]) -> Result<Option<String>, Malformed> {
    for attribute in Attributes::within(value) {
        if let (1, value) = attribute? {
            return Ok(Some(text(value)));
        }
    }
    Ok(None)
}

/// Reads `CTA_COUNTERS_PACKETS` and `CTA_COUNTERS_BYTES`.
fn counts(value: &[u8]) -> Result<(Option<u64>, Option<u64>), Malformed> {
    let (mut packets, mut bytes) = (None, None);
    for attribute in Attributes::within(value) {
        match attribute? {
            (1, value) => packets = Some(long(value)?),
            (2, value) => bytes = Some(long(value)?),
            _ => {}
        }
    }
    Ok((packets, bytes))
}

/// Reads `CTA_TIMESTAMP_START`, in nanoseconds.
fn started(value: &[u8]) -> Result<Option<SystemTime>, Malformed> {
    for attribute in Attributes::within(value) {
        if let (1, value) = attribute? {
            return Ok(UNIX_EPOCH.checked_add(Duration::from_nanos(long(value)?)));
        }
    }
    Ok(None)
}

/// Returns the numbers of the bits that are set. The kernel has them as words in the order of the machine.
fn labels(value: &[u8]) -> Vec<u16> {
    let words = value.chunks_exact(4).filter_map(|word| array_at(word, 0).ok()).map(u32::from_ne_bytes);
    let bits = words
        .zip(0_u16..)
        .flat_map(|(word, number)| (0..32).filter(move |bit| word >> bit & 1 == 1).map(move |bit| 32 * number + bit));
    bits.collect()
}

fn short(value: &[u8]) -> Result<u16, Malformed> {
    array_at(value, 0).map(u16::from_be_bytes)
}

fn word(value: &[u8]) -> Result<u32, Malformed> {
    array_at(value, 0).map(u32::from_be_bytes)
}

fn long(value: &[u8]) -> Result<u64, Malformed> {
    array_at(value, 0).map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_of_labels_have_numbers() {
        let mut value = [0; 16];
        value[..4].copy_from_slice(&0x8000_0001_u32.to_ne_bytes());
        value[12..].copy_from_slice(&2_u32.to_ne_bytes());
        assert_eq!(labels(&value), [0, 31, 97]);
        assert_eq!(labels(&[1, 2]), []);
    }

    #[test]
    fn a_message_that_is_cut_short_is_malformed() {
        assert_eq!(read(&[]), Err(Malformed));
        assert_eq!(read(&[libc::AF_INET as u8, 0, 0, 0]), Err(Malformed));
        assert_eq!(read(&[libc::AF_INET as u8, 0, 0, 0, 12, 0, 1, 0]), Err(Malformed));
        assert_eq!(read(&[libc::AF_UNIX as u8, 0, 0, 0]), Ok(None));
    }
}
