//! A filter that compares fields of the packet (tc-flower(8)).

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{
    family::octets,
    mac::Mac,
    netlink::attributes::{Malformed, array_at, ip, u8_at, u16_at},
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
    pub sport: Option<u16>,
    pub dport: Option<u16>,
    pub vlan: Option<u16>,
}

// `TCA_FLOWER_KEY_*` of linux/pkt_cls.h; each mask follows its value, except those of ports.
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
const SCTP_SRC: u16 = 41;
const SCTP_DST: u16 = 42;

const UDP: u8 = 17;
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
        if let Some(protocol) = self.ip_proto {
            options.put_u8(IP_PROTO, protocol);
        }
        for (v4, v6, net) in [(IPV4_SRC, IPV6_SRC, self.source), (IPV4_DST, IPV6_DST, self.destination)] {
            if let Some(net) = net {
                let kind = if net.addr().is_ipv4() { v4 } else { v6 };
                options.put(kind, &octets(net.addr()));
                options.put(kind + 1, &octets(net.netmask()));
            }
        }
        let (source, destination) = match self.ip_proto {
            Some(UDP) => (UDP_SRC, UDP_DST),
            Some(SCTP) => (SCTP_SRC, SCTP_DST),
            _ => (TCP_SRC, TCP_DST),
        };
        for (kind, port) in [(source, self.sport), (destination, self.dport)] {
            if let Some(port) = port {
                options.put_u16(kind, port.to_be());
            }
        }
    }

    /// Takes one of the attributes.
    pub(super) fn take(&mut self, kind: u16, value: &[u8]) -> Result<(), Malformed> {
        match kind {
            ETH_DST => self.destination_mac = Some(Mac(array_at(value, 0)?)),
            ETH_SRC => self.source_mac = Some(Mac(array_at(value, 0)?)),
            IP_PROTO => self.ip_proto = Some(u8_at(value, 0)?),
            IPV4_SRC | IPV6_SRC => self.source = Some(ip(value)?.into()),
            IPV4_DST | IPV6_DST => self.destination = Some(ip(value)?.into()),
            TCP_SRC | UDP_SRC | SCTP_SRC => self.sport = Some(u16::from_be(u16_at(value, 0)?)),
            TCP_DST | UDP_DST | SCTP_DST => self.dport = Some(u16::from_be(u16_at(value, 0)?)),
            VLAN_ID => self.vlan = Some(u16_at(value, 0)?),
            _ => self.take_mask(kind, value)?,
        }
        Ok(())
    }

    /// A mask comes after its address.
    fn take_mask(&mut self, kind: u16, value: &[u8]) -> Result<(), Malformed> {
        let net = match kind.wrapping_sub(1) {
            IPV4_SRC | IPV6_SRC => &mut self.source,
            IPV4_DST | IPV6_DST => &mut self.destination,
            _ => return Ok(()),
        };
        let length = match ip(value)? {
            IpAddr::V4(mask) => mask.to_bits().count_ones(),
            IpAddr::V6(mask) => mask.to_bits().count_ones(),
        };
        *net = net.and_then(|net| IpNet::new(net.addr(), length as u8).ok());
        Ok(())
    }
}
