//! A link, as the kernel describes it.

use serde::Serialize;
use serde_with::skip_serializing_none;

use super::{
    kinds::LinkKind, properties::OperationalState, properties::Port, properties::Statistics, properties::Tuning,
};
use crate::{
    link_ref::{self, LinkRef},
    mac::Mac,
    netlink::attributes::{Attributes, Malformed, array_at, text, u8_at, u16_at, u32_at},
};

/// A link.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    pub index: u32,
    pub name: String,
    #[serde(flatten)]
    pub kind: LinkKind,
    pub alias: Option<String>,
    /// The alternative names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alt_names: Vec<String>,
    /// The link-layer address, if it has six bytes.
    pub mac: Option<Mac>,
    pub mtu: u32,
    /// Whether the link has been brought up.
    pub up: bool,
    /// Whether the link works: it is up, and so are the links that it depends on.
    pub running: bool,
    /// Whether the link has a carrier. The kernel does not report it for a link that is down.
    pub carrier: bool,
    pub operational_state: OperationalState,
    /// Whether the link is set to receive all frames.
    pub promiscuous: bool,
    /// Whether neighbours are found by ARP and NDP.
    pub arp: bool,
    pub multicast: bool,
    /// Whether the link is set to receive the frames of all multicast groups.
    pub all_multicast: bool,
    /// The index of the bridge, bond or VRF whose port this is.
    #[serde(serialize_with = "link_ref::optional_index")]
    pub master: Option<u32>,
    /// The settings of the link as a port of its master.
    #[serde(flatten)]
    pub port: Port,
    /// The other end of a veth or a netkit.
    pub peer: Option<LinkInOtherNetwork>,
    /// The device below this link.
    pub dev: Option<LinkInOtherNetwork>,
    /// How many queues it sends by.
    pub num_tx_queues: u32,
    /// How many queues it receives by.
    pub num_rx_queues: u32,
    #[serde(flatten)]
    pub tuning: Tuning,
    pub statistics: Statistics,
}

/// A link that may be in another network.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkInOtherNetwork {
    /// The index in that network.
    pub index: u32,
    /// The id of that network in this one (ip-netns(8)), if it is another network.
    pub netns_id: Option<i32>,
}

/// `struct ifinfomsg` of rtnetlink(7).
pub(super) const HEADER: usize = 16;

const ARPHRD_LOOPBACK: u16 = libc::ARPHRD_LOOPBACK;

impl Link {
    /// Returns a reference that stays valid if the link is renamed.
    pub const fn reference(&self) -> LinkRef {
        LinkRef::Index(self.index)
    }

    /// Returns whether this is its name or one of its alternative names.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.alt_names.iter().any(|alternative| alternative == name)
    }

    /// Reads the body of an `RTM_NEWLINK`.
    pub(crate) fn read(message: &[u8]) -> Result<Self, Malformed> {
        let flags = u32_at(message, 8)?;
        let has = |flag: libc::c_int| flags & flag as u32 != 0;
        let mut link = Self {
            index: u32_at(message, 4)?,
            name: String::new(),
            kind: if u16_at(message, 2)? == ARPHRD_LOOPBACK { LinkKind::Loopback } else { LinkKind::Hardware },
            alias: None,
            alt_names: Vec::new(),
            mac: None,
            mtu: 0,
            up: has(libc::IFF_UP),
            running: has(libc::IFF_RUNNING),
            promiscuous: has(libc::IFF_PROMISC),
            arp: !has(libc::IFF_NOARP),
            multicast: has(libc::IFF_MULTICAST),
            all_multicast: has(libc::IFF_ALLMULTI),
            carrier: false,
            operational_state: OperationalState::default(),
            num_tx_queues: 1,
            num_rx_queues: 1,
            tuning: Tuning::default(),
            master: None,
            port: Port::default(),
            peer: None,
            dev: None,
            statistics: Statistics::default(),
        };
        let mut below = None;
        let mut netns_id = None;
        for attribute in Attributes::behind(HEADER, message)? {
            let (kind, value) = attribute?;
            match kind {
                libc::IFLA_IFNAME => link.name = text(value),
                libc::IFLA_IFALIAS => link.alias = Some(text(value)),
                libc::IFLA_ADDRESS if value.len() == 6 => link.mac = Some(Mac(array_at(value, 0)?)),
                libc::IFLA_MTU => link.mtu = u32_at(value, 0)?,
                libc::IFLA_MASTER => link.master = Some(u32_at(value, 0)?),
                libc::IFLA_LINK => below = Some(u32_at(value, 0)?),
                libc::IFLA_LINK_NETNSID => netns_id = Some(u32_at(value, 0)? as i32),
                libc::IFLA_STATS64 => link.statistics = Statistics::read(value)?,
                libc::IFLA_LINKINFO => {
                    let dev;
                    (link.kind, dev, link.port) = read_info(value)?;
                    below = dev.or(below);
                }
                libc::IFLA_PROP_LIST => link.alt_names = read_alt_names(value)?,
                libc::IFLA_CARRIER => link.carrier = u8_at(value, 0)? != 0,
                libc::IFLA_OPERSTATE => link.operational_state = OperationalState::read(value)?,
                libc::IFLA_NUM_TX_QUEUES => link.num_tx_queues = u32_at(value, 0)?,
                libc::IFLA_NUM_RX_QUEUES => link.num_rx_queues = u32_at(value, 0)?,
                _ => link.tuning.put(kind, value),
            }
        }
        // A tunnel without a device reports 0.
        let below = below.filter(|index| *index != 0).map(|index| LinkInOtherNetwork { index, netns_id });
        match link.kind {
            LinkKind::Veth | LinkKind::Netkit(_) => link.peer = below,
            _ => link.dev = below,
        }
        Ok(link)
    }
}

fn read_alt_names(properties: &[u8]) -> Result<Vec<String>, Malformed> {
    let mut names = Vec::new();
    for attribute in Attributes::within(properties) {
        if let (libc::IFLA_ALT_IFNAME, name) = attribute? {
            names.push(text(name));
        }
    }
    Ok(names)
}

fn read_info(info: &[u8]) -> Result<(LinkKind, Option<u32>, Port), Malformed> {
    let mut name = String::new();
    let mut data: &[u8] = &[];
    let (mut master, mut port): (_, &[u8]) = (String::new(), &[]);
    for attribute in Attributes::within(info) {
        match attribute? {
            (libc::IFLA_INFO_KIND, value) => name = text(value),
            (libc::IFLA_INFO_DATA, value) => data = value,
            (libc::IFLA_INFO_SLAVE_KIND, value) => master = text(value),
            (libc::IFLA_INFO_SLAVE_DATA, value) => port = value,
            _ => {}
        }
    }
    let port = Port::read(&master, port);
    // A hardware link that is a port has only the data of its master.
    let (kind, dev) = if name.is_empty() { (LinkKind::Hardware, None) } else { LinkKind::read(name, data) };
    Ok((kind, dev, port))
}
