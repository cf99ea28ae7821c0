//! The messages about next hops: `struct nhmsg` and `NHA_*` of linux/nexthop.h.

use std::time::Duration;

use super::next_hop::{GroupMember, GroupType, NextHopObject, NextHopObjectSpec, Resilience};
use crate::{
    family::{Family, octets},
    netlink::attributes::{Attributes, Malformed, ip, u8_at, u16_at, u32_at},
    netlink::message::Message,
    route::EncapParts,
    scope::Scope,
};

// `RTM_*NEXTHOP` of linux/rtnetlink.h.
const RTM_NEWNEXTHOP: u16 = 104;
pub(super) const RTM_DELNEXTHOP: u16 = 105;
pub(super) const RTM_GETNEXTHOP: u16 = 106;

const HEADER: usize = 8;

/// `RTNH_F_ONLINK`.
const ON_LINK: u32 = 4;

pub(super) const ID: u16 = 1;
const GROUP: u16 = 2;
const GROUP_TYPE: u16 = 3;
const BLACKHOLE: u16 = 4;
const OIF: u16 = 5;
const GATEWAY: u16 = 6;
const ENCAP_TYPE: u16 = 7;
const ENCAP: u16 = 8;
const FDB: u16 = 11;
const RES_GROUP: u16 = 12;

const RES_BUCKETS: u16 = 1;
const RES_IDLE_TIMER: u16 = 2;
const RES_UNBALANCED_TIMER: u16 = 3;

/// `struct nexthop_grp`.
const MEMBER: usize = 8;

impl NextHopObjectSpec {
    /// Returns the message that adds it. `dev` is the index of the link.
    pub(super) fn addition(&self, dev: Option<u32>) -> Message {
        let family = match self.gateway {
            Some(gateway) => Some(Family::of(gateway)),
            None => self.family.or(self.group.is_empty().then_some(Family::Ipv4)),
        };
        let mut header = vec![family.map_or(0, Family::number), 0, self.protocol.unwrap_or(0), 0];
        header.extend((if self.on_link { ON_LINK } else { 0 }).to_ne_bytes());
        let mut message = Message::new(RTM_NEWNEXTHOP, header);
        let attributes = &mut message.attributes;
        attributes.put_u32(ID, self.id);
        for (kind, _) in [(BLACKHOLE, self.blackhole), (FDB, self.fdb)].into_iter().filter(|(_, on)| *on) {
            attributes.put(kind, &[]);
        }
        if let Some(index) = dev {
            attributes.put_u32(OIF, index);
        }
        if let Some(gateway) = self.gateway {
            attributes.put(GATEWAY, &octets(gateway));
        }
        if let Some(encap) = &self.encap {
            attributes.put_u16(ENCAP_TYPE, encap.kind.into());
            attributes.put(ENCAP, &encap.data.0);
        }
        if !self.group.is_empty() {
            attributes.put(GROUP, &self.group.iter().copied().flat_map(GroupMember::bytes).collect::<Vec<u8>>());
            attributes.put_u16(GROUP_TYPE, u16::from(self.group_type == Some(GroupType::Resilient)));
        }
        if let Some(resilience) = self.resilience {
            attributes.nest(RES_GROUP, |inner| {
                if let Some(buckets) = resilience.buckets {
                    inner.put_u16(RES_BUCKETS, buckets);
                }
                let timers =
                    [(RES_IDLE_TIMER, resilience.idle_timer), (RES_UNBALANCED_TIMER, resilience.unbalanced_timer)];
                for (kind, time) in timers {
                    if let Some(time) = time {
                        inner.put_u32(kind, hundredths(time));
                    }
                }
            });
        }
        message
    }
}

impl NextHopObject {
    /// Reads the body of an `RTM_NEWNEXTHOP`.
    pub(crate) fn read(message: &[u8]) -> Result<Self, Malformed> {
        let mut hop = Self {
            id: 0,
            family: Family::from_number(u8_at(message, 0)?),
            gateway: None,
            dev: None,
            on_link: u32_at(message, 4)? & ON_LINK != 0,
            blackhole: false,
            fdb: false,
            group: Vec::new(),
            group_type: None,
            resilience: None,
            encap: None,
            scope: Scope::from(u8_at(message, 1)?),
            protocol: u8_at(message, 2)?,
        };
        let mut encap = EncapParts::default();
        for attribute in Attributes::behind(HEADER, message)? {
            let (kind, value) = attribute?;
            match kind {
                ID => hop.id = u32_at(value, 0)?,
                GROUP => hop.group = value.chunks_exact(MEMBER).map(GroupMember::read).collect::<Result<_, _>>()?,
                GROUP_TYPE => {
                    let is_resilient = u16_at(value, 0)? == 1;
                    hop.group_type = Some(if is_resilient { GroupType::Resilient } else { GroupType::Multipath });
                }
                BLACKHOLE => hop.blackhole = true,
                FDB => hop.fdb = true,
                OIF => hop.dev = Some(u32_at(value, 0)?),
                GATEWAY => hop.gateway = Some(ip(value)?),
                ENCAP_TYPE => encap.take_kind(value)?,
                ENCAP => encap.take_data(value),
                RES_GROUP => hop.resilience = Some(Resilience::read(value)?),
                _ => {}
            }
        }
        hop.encap = encap.whole();
        Ok(hop)
    }
}

impl GroupMember {
    fn bytes(self) -> Vec<u8> {
        let weight = u8::try_from(self.weight.saturating_sub(1)).unwrap_or(u8::MAX);
        [&self.id.to_ne_bytes()[..], &[weight, 0, 0, 0]].concat()
    }

    fn read(value: &[u8]) -> Result<Self, Malformed> {
        Ok(Self { id: u32_at(value, 0)?, weight: 1 + u16::from(u8_at(value, 4)?) })
    }
}

impl Resilience {
    fn read(value: &[u8]) -> Result<Self, Malformed> {
        let time = |value| u32_at(value, 0).map(|hundredths| Duration::from_millis(10 * u64::from(hundredths)));
        let mut resilience = Self::default();
        for attribute in Attributes::within(value) {
            match attribute? {
                (RES_BUCKETS, value) => resilience.buckets = Some(u16_at(value, 0)?),
                (RES_IDLE_TIMER, value) => resilience.idle_timer = Some(time(value)?),
                (RES_UNBALANCED_TIMER, value) => resilience.unbalanced_timer = Some(time(value)?),
                _ => {}
            }
        }
        Ok(resilience)
    }
}

/// Hundredths of a second (`USER_HZ`).
fn hundredths(time: Duration) -> u32 {
    u32::try_from(time.as_millis() / 10).unwrap_or(u32::MAX)
}
