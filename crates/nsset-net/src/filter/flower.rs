//! A filter that compares fields of the packet (tc-flower(8)).

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::protocol::Protocol;
use crate::{
    family::octets,
    mac::Mac,
    netlink::attributes::{Malformed, array_at, ip, u8_at, u16_at, u32_at},
    netlink::message::AttributeWriter,
};

/// The fields to compare, all of which must match.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Flower {
    pub source_mac: Option<Mac>,
    pub destination_mac: Option<Mac>,
    pub ip_proto: Option<u8>,
    pub source: Option<IpNet>,
    pub destination: Option<IpNet>,
    pub sport: Option<Ports>,
    pub dport: Option<Ports>,
    pub tos: Option<u8>,
    pub ttl: Option<u8>,
    /// Whether the packet is a fragment.
    pub fragment: Option<bool>,
    pub tcp_flags: Option<TcpFlags>,
    pub icmp_type: Option<u8>,
    pub icmp_code: Option<u8>,
    pub vlan: Option<u16>,
    pub vlan_priority: Option<u8>,
    /// The protocol behind the tag.
    pub vlan_protocol: Option<Protocol>,
}

/// A port, or a range with both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Ports {
    One(u16),
    Range { start: u16, end: u16 },
}

/// Flags of TCP, and which of them count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpFlags {
    pub value: u16,
    pub mask: u16,
}

// `TCA_FLOWER_*` of linux/pkt_cls.h; each mask follows its value, except those of ports.
pub(super) const FLAGS: u16 = 22;
pub(super) const IN_HARDWARE: u16 = 86;
const ETH_DST: u16 = 4;
const ETH_SRC: u16 = 6;
const ETH_TYPE: u16 = 8;
const IP_PROTO: u16 = 9;
const IPV4_SRC: u16 = 10;
const IPV4_DST: u16 = 12;
const IPV6_SRC: u16 = 14;
const IPV6_DST: u16 = 16;
const TCP_SRC: u16 = 18;
const TCP_DST: u16 = 19;
const UDP_SRC: u16 = 20;
const UDP_DST: u16 = 21;
const VLAN_ID: u16 = 23;
const VLAN_PRIORITY: u16 = 24;
const VLAN_ETH_TYPE: u16 = 25;
const FIRST_PORT_MASK: u16 = 35;
const LAST_PORT_MASK: u16 = 40;
const SCTP_SRC: u16 = 41;
const SCTP_DST: u16 = 42;
const KEY_FLAGS: u16 = 47;
const ICMPV4_CODE: u16 = 49;
const ICMPV4_TYPE: u16 = 51;
const ICMPV6_CODE: u16 = 53;
const ICMPV6_TYPE: u16 = 55;
const TCP_FLAGS: u16 = 71;
const IP_TOS: u16 = 73;
const IP_TTL: u16 = 75;
const SRC_MIN: u16 = 87;
const SRC_MAX: u16 = 88;
const DST_MIN: u16 = 89;
const DST_MAX: u16 = 90;

/// `TCA_CLS_FLAGS_SKIP_HW` and `TCA_CLS_FLAGS_SKIP_SW` of linux/pkt_cls.h. The kernel lists others, and refuses them in a request.
pub(super) const OF_PROGRAMS: u32 = 3;

/// `TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT`.
const FRAGMENT: u32 = 1;

const UDP: u8 = 17;
const ICMPV6: u8 = 58;
const SCTP: u8 = 132;

impl Flower {
    /// Writes the options. `protocol` is that of the filter, as `ETH_P_*`.
    pub(super) fn write(&self, protocol: u16, options: &mut AttributeWriter) {
        const ANY: u16 = 3;
        if protocol != ANY {
            options.put_u16(ETH_TYPE, protocol.to_be());
        }
        for (kind, mac) in [(ETH_DST, self.destination_mac), (ETH_SRC, self.source_mac)] {
            if let Some(mac) = mac {
                options.put(kind, &mac.0);
                options.put(kind + 1, &[0xFF; 6]);
            }
        }
        if let Some(vlan) = self.vlan {
            options.put_u16(VLAN_ID, vlan);
        }
        if let Some(protocol) = self.vlan_protocol {
            options.put_u16(VLAN_ETH_TYPE, u16::from(protocol).to_be());
        }
        let bytes = [(VLAN_PRIORITY, self.vlan_priority), (IP_PROTO, self.ip_proto)];
        for (kind, byte) in bytes {
            if let Some(byte) = byte {
                options.put_u8(kind, byte);
            }
        }
        for (v4, v6, net) in [(IPV4_SRC, IPV6_SRC, self.source), (IPV4_DST, IPV6_DST, self.destination)] {
            if let Some(net) = net {
                let kind = if net.addr().is_ipv4() { v4 } else { v6 };
                options.put(kind, &octets(net.addr()));
                options.put(kind + 1, &octets(net.netmask()));
            }
        }
        self.write_transport(options);
    }

    fn write_transport(&self, options: &mut AttributeWriter) {
        let (source, destination) = match self.ip_proto {
            Some(UDP) => (UDP_SRC, UDP_DST),
            Some(SCTP) => (SCTP_SRC, SCTP_DST),
            _ => (TCP_SRC, TCP_DST),
        };
        for (kind, ends, ports) in
            [(source, (SRC_MIN, SRC_MAX), self.sport), (destination, (DST_MIN, DST_MAX), self.dport)]
        {
            match ports {
                Some(Ports::One(port)) => options.put_u16(kind, port.to_be()),
                Some(Ports::Range { start, end }) => {
                    options.put_u16(ends.0, start.to_be());
                    options.put_u16(ends.1, end.to_be());
                }
                None => {}
            }
        }
        let (icmp_type, icmp_code) = match self.ip_proto {
            Some(ICMPV6) => (ICMPV6_TYPE, ICMPV6_CODE),
            _ => (ICMPV4_TYPE, ICMPV4_CODE),
        };
        let bytes = [(IP_TOS, self.tos), (IP_TTL, self.ttl), (icmp_type, self.icmp_type), (icmp_code, self.icmp_code)];
        for (kind, byte) in bytes {
            if let Some(byte) = byte {
                options.put_u8(kind, byte);
                options.put_u8(kind + 1, u8::MAX);
            }
        }
        if let Some(flags) = self.tcp_flags {
            options.put_u16(TCP_FLAGS, flags.value.to_be());
            options.put_u16(TCP_FLAGS + 1, flags.mask.to_be());
        }
        if let Some(is_fragment) = self.fragment {
            options.put_u32(KEY_FLAGS, if is_fragment { FRAGMENT.to_be() } else { 0 });
            options.put_u32(KEY_FLAGS + 1, FRAGMENT.to_be());
        }
    }

    /// Takes one of the attributes. Fails for what this struct has no field for: a filter without it would match other packets.
    pub(super) fn take(&mut self, kind: u16, value: &[u8]) -> Result<(), Malformed> {
        match kind {
            ETH_DST => self.destination_mac = Some(Mac(array_at(value, 0)?)),
            ETH_SRC => self.source_mac = Some(Mac(array_at(value, 0)?)),
            IP_PROTO => self.ip_proto = Some(u8_at(value, 0)?),
            IPV4_SRC | IPV6_SRC => self.source = Some(ip(value)?.into()),
            IPV4_DST | IPV6_DST => self.destination = Some(ip(value)?.into()),
            TCP_SRC | UDP_SRC | SCTP_SRC => self.sport = Some(Ports::One(port(value)?)),
            TCP_DST | UDP_DST | SCTP_DST => self.dport = Some(Ports::One(port(value)?)),
            SRC_MIN | SRC_MAX => widen(&mut self.sport, port(value)?),
            DST_MIN | DST_MAX => widen(&mut self.dport, port(value)?),
            VLAN_ID => self.vlan = Some(u16_at(value, 0)?),
            VLAN_PRIORITY => self.vlan_priority = Some(u8_at(value, 0)?),
            VLAN_ETH_TYPE => self.vlan_protocol = Some(port(value)?.into()),
            IP_TOS => self.tos = Some(u8_at(value, 0)?),
            IP_TTL => self.ttl = Some(u8_at(value, 0)?),
            ICMPV4_TYPE | ICMPV6_TYPE => self.icmp_type = Some(u8_at(value, 0)?),
            ICMPV4_CODE | ICMPV6_CODE => self.icmp_code = Some(u8_at(value, 0)?),
            TCP_FLAGS => self.tcp_flags = Some(TcpFlags { value: port(value)?, mask: u16::MAX }),
            KEY_FLAGS => self.fragment = Some(u32::from_be(u32_at(value, 0)?) & FRAGMENT != 0),
            ETH_TYPE | IN_HARDWARE => {}
            _ => self.take_mask(kind, value)?,
        }
        Ok(())
    }

    /// A mask comes after its value.
    fn take_mask(&mut self, kind: u16, value: &[u8]) -> Result<(), Malformed> {
        match kind.wrapping_sub(1) {
            IPV4_SRC | IPV6_SRC => shorten(&mut self.source, value),
            IPV4_DST | IPV6_DST => shorten(&mut self.destination, value),
            TCP_FLAGS => {
                let mask = port(value)?;
                self.tcp_flags = self.tcp_flags.map(|flags| TcpFlags { mask, ..flags });
                Ok(())
            }
            KEY_FLAGS if u32::from_be(u32_at(value, 0)?) == FRAGMENT => Ok(()),
            ETH_DST | ETH_SRC | IP_TOS | IP_TTL | ICMPV4_TYPE | ICMPV4_CODE | ICMPV6_TYPE | ICMPV6_CODE => whole(value),
            _ if (FIRST_PORT_MASK..=LAST_PORT_MASK).contains(&kind) => whole(value),
            // Without the flags of a program that says whether the hardware filters.
            _ if kind == FLAGS && u32_at(value, 0)? & OF_PROGRAMS == 0 => Ok(()),
            _ => Err(Malformed),
        }
    }
}

/// Whether all bits count, as in the masks that this crate writes.
fn whole(mask: &[u8]) -> Result<(), Malformed> {
    if mask.iter().all(|byte| *byte == u8::MAX) { Ok(()) } else { Err(Malformed) }
}

fn port(value: &[u8]) -> Result<u16, Malformed> {
    u16_at(value, 0).map(u16::from_be)
}

/// The ends of a range come one after the other.
fn widen(ports: &mut Option<Ports>, port: u16) {
    *ports = Some(match ports {
        Some(Ports::One(first)) => Ports::Range { start: port.min(*first), end: port.max(*first) },
        _ => Ports::One(port),
    });
}

fn shorten(net: &mut Option<IpNet>, mask: &[u8]) -> Result<(), Malformed> {
    let Some(found) = net else { return Err(Malformed) };
    let length = match ip(mask)? {
        IpAddr::V4(mask) => ipnet::ipv4_mask_to_prefix(mask),
        IpAddr::V6(mask) => ipnet::ipv6_mask_to_prefix(mask),
    };
    *found = length.ok().and_then(|length| IpNet::new(found.addr(), length).ok()).ok_or(Malformed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::attributes::Attributes;

    fn read(options: &[u8]) -> Result<Flower, Malformed> {
        let mut flower = Flower::default();
        for attribute in Attributes::within(options) {
            let (kind, value) = attribute?;
            flower.take(kind, value)?;
        }
        Ok(flower)
    }

    #[test]
    fn all_fields_are_read_as_they_are_written() {
        let tcp = Flower {
            source_mac: Some(Mac([2, 0, 0, 0, 0, 1])),
            ip_proto: Some(6),
            source: Some("10.0.0.0/8".parse().unwrap()),
            destination: Some("10.0.0.1/32".parse().unwrap()),
            sport: Some(Ports::Range { start: 1000, end: 2000 }),
            dport: Some(Ports::One(80)),
            tos: Some(0x10),
            ttl: Some(64),
            fragment: Some(false),
            tcp_flags: Some(TcpFlags { value: 2, mask: 0x12 }),
            vlan: Some(7),
            vlan_priority: Some(3),
            vlan_protocol: Some(0x0800.into()),
            ..Flower::default()
        };
        let icmp = Flower { ip_proto: Some(ICMPV6), icmp_type: Some(128), icmp_code: Some(0), ..Flower::default() };
        for flower in [tcp, icmp, Flower { fragment: Some(true), ..Flower::default() }] {
            let mut options = AttributeWriter::default();
            flower.write(0x0800, &mut options);
            assert_eq!(read(&options.into_bytes()).unwrap(), flower);
        }
    }

    #[test]
    fn what_it_has_no_field_for_is_not_left_out() {
        let unknown: [(u16, &[u8]); 5] = [
            (ETH_SRC + 1, &[0xFF, 0xFF, 0xFF, 0, 0, 0]),
            (IP_TOS + 1, &[0xFC]),
            (KEY_FLAGS + 1, &[0, 0, 0, 2]),
            (FLAGS, &[1, 0, 0, 0]),
            (67, &[1]),
        ];
        for (kind, value) in unknown {
            let mut options = AttributeWriter::default();
            options.put(kind, value);
            assert!(read(&options.into_bytes()).is_err(), "{kind}");
        }
    }
}
