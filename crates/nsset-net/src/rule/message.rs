//! The messages about rules: `struct fib_rule_hdr` and `FRA_*` of linux/fib_rules.h.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::{
    action::RuleAction,
    range::{PortRange, UidRange},
    rule::Rule,
};
use crate::{
    family::{Family, octets},
    netlink::attributes::{Attributes, Malformed, ip, text, u8_at, u32_at, u64_at},
    netlink::message::Message,
};

const HEADER: usize = 12;

/// `RT_TABLE_COMPAT`: the table has its own attribute, because its number needs more than a byte.
const TABLE_ELSEWHERE: u8 = 252;

const MAIN_TABLE: u32 = 254;

/// `FIB_RULE_INVERT`.
const INVERT: u32 = 2;

const TO: u16 = 1;
const FROM: u16 = 2;
const IIF: u16 = 3;
const GOTO: u16 = 4;
const PRIORITY: u16 = 6;
const FWMARK: u16 = 10;
const REALM: u16 = 11;
const TUNNEL_ID: u16 = 12;
const SUPPRESS_LINK_GROUP: u16 = 13;
const SUPPRESS_PREFIX_LENGTH: u16 = 14;
const TABLE: u16 = 15;
const FWMASK: u16 = 16;
const OIF: u16 = 17;
const L3MDEV: u16 = 19;
const UID_RANGE: u16 = 20;
const PROTOCOL: u16 = 21;
const IP_PROTO: u16 = 22;
const SPORT: u16 = 23;
const DPORT: u16 = 24;

/// The value of an attribute that the kernel always writes, for "none".
const NONE: u32 = u32::MAX;

impl Rule {
    /// Returns the message that adds the rule.
    pub(super) fn addition(&self) -> Message {
        let default = if self.goto.is_some() { RuleAction::Goto } else { RuleAction::Lookup };
        let action = self.action.unwrap_or(default);
        let is_lookup = action == RuleAction::Lookup && !self.l3mdev;
        let table = self.table.or(is_lookup.then_some(MAIN_TABLE));
        self.message(libc::RTM_NEWRULE, action.into(), table)
    }

    /// Returns the message that deletes the rule. The kernel does not compare fields that the message leaves out.
    pub(super) fn deletion(&self) -> Message {
        self.message(libc::RTM_DELRULE, self.action.map_or(0, u8::from), self.table)
    }

    fn message(&self, kind: u16, action: u8, table: Option<u32>) -> Message {
        let length = |net: Option<IpNet>| net.map_or(0, |net| net.prefix_len());
        let short = table.map_or(0, |table| u8::try_from(table).unwrap_or(TABLE_ELSEWHERE));
        let mut header =
            vec![self.family.number(), length(self.to), length(self.from), self.tos.unwrap_or(0), short, 0, 0, action];
        header.extend((if self.invert { INVERT } else { 0 }).to_ne_bytes());
        let mut message = Message::new(kind, header);
        let attributes = &mut message.attributes;
        let nets = [(TO, self.to), (FROM, self.from)];
        for (kind, net) in nets.into_iter().filter(|(_, net)| length(*net) > 0) {
            if let Some(net) = net {
                attributes.put(kind, &octets(net.network()));
            }
        }
        for (kind, name) in [(IIF, &self.iif), (OIF, &self.oif)] {
            if let Some(name) = name {
                attributes.put_text(kind, name);
            }
        }
        let numbers = [
            (GOTO, self.goto),
            (PRIORITY, self.priority),
            (FWMARK, self.fwmark),
            (REALM, self.realm),
            (SUPPRESS_LINK_GROUP, self.suppress_link_group),
            (SUPPRESS_PREFIX_LENGTH, self.suppress_prefix_length),
            (TABLE, table),
            (FWMASK, self.fwmask),
        ];
        for (kind, number) in numbers {
            if let Some(number) = number {
                attributes.put_u32(kind, number);
            }
        }
        // In network byte order, as ip-rule(8) sends it.
        if let Some(id) = self.tunnel_id {
            attributes.put(TUNNEL_ID, &id.to_be_bytes());
        }
        for (kind, number) in [(L3MDEV, self.l3mdev.then_some(1)), (PROTOCOL, self.protocol), (IP_PROTO, self.ip_proto)]
        {
            if let Some(number) = number {
                attributes.put_u8(kind, number);
            }
        }
        if let Some(range) = self.uid_range {
            attributes.put(UID_RANGE, &range.bytes());
        }
        for (kind, range) in [(SPORT, self.sport), (DPORT, self.dport)] {
            if let Some(range) = range {
                attributes.put(kind, &range.bytes());
            }
        }
        message
    }

    /// Reads the body of an `RTM_NEWRULE`. `None` if it is not a rule of IPv4 or IPv6.
    pub(crate) fn read(message: &[u8]) -> Result<Option<Self>, Malformed> {
        let Some(family) = Family::from_number(u8_at(message, 0)?) else { return Ok(None) };
        let mut rule = Self::of(family);
        rule.to = prefix(family, u8_at(message, 1)?)?;
        rule.from = prefix(family, u8_at(message, 2)?)?;
        rule.tos = Some(u8_at(message, 3)?).filter(|tos| *tos != 0);
        rule.table = Some(u32::from(u8_at(message, 4)?)).filter(|table| *table != 0);
        rule.action = Some(u8_at(message, 7)?.into());
        rule.invert = u32_at(message, 8)? & INVERT != 0;
        // The kernel leaves it out for 0.
        rule.priority = Some(0);
        for attribute in Attributes::behind(HEADER, message)? {
            let (kind, value) = attribute?;
            match kind {
                TO => rule.to = Some(net(value, rule.to)?),
                FROM => rule.from = Some(net(value, rule.from)?),
                IIF => rule.iif = Some(text(value)),
                OIF => rule.oif = Some(text(value)),
                GOTO => rule.goto = Some(u32_at(value, 0)?),
                PRIORITY => rule.priority = Some(u32_at(value, 0)?),
                FWMARK => rule.fwmark = Some(u32_at(value, 0)?),
                FWMASK => rule.fwmask = Some(u32_at(value, 0)?),
                REALM => rule.realm = Some(u32_at(value, 0)?),
                TUNNEL_ID => rule.tunnel_id = Some(u64::from_be(u64_at(value, 0)?)),
                SUPPRESS_LINK_GROUP => {
                    rule.suppress_link_group = Some(u32_at(value, 0)?).filter(|group| *group != NONE);
                }
                SUPPRESS_PREFIX_LENGTH => {
                    rule.suppress_prefix_length = Some(u32_at(value, 0)?).filter(|length| *length != NONE);
                }
                TABLE => rule.table = Some(u32_at(value, 0)?).filter(|table| *table != 0),
                L3MDEV => rule.l3mdev = u8_at(value, 0)? != 0,
                UID_RANGE => rule.uid_range = Some(UidRange::read(value)?),
                PROTOCOL => rule.protocol = Some(u8_at(value, 0)?).filter(|protocol| *protocol != 0),
                IP_PROTO => rule.ip_proto = Some(u8_at(value, 0)?),
                SPORT => rule.sport = Some(PortRange::read(value)?),
                DPORT => rule.dport = Some(PortRange::read(value)?),
                _ => {}
            }
        }
        Ok(Some(rule))
    }
}

/// Returns a network of this length without its address, which has its own attribute; `None` for every network.
fn prefix(family: Family, length: u8) -> Result<Option<IpNet>, Malformed> {
    let anywhere = match family {
        Family::Ipv4 => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        Family::Ipv6 => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let net = IpNet::new(anywhere, length).map_err(|_| Malformed)?;
    Ok(Some(net).filter(|net| net.prefix_len() > 0))
}

fn net(value: &[u8], prefix: Option<IpNet>) -> Result<IpNet, Malformed> {
    IpNet::new(ip(value)?, prefix.map_or(0, |net| net.prefix_len())).map_err(|_| Malformed)
}
