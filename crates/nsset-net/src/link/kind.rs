//! The kinds of link.

use netlink_packet_core::{Nla, NlaBuffer, Parseable};
use netlink_packet_route::link::{InfoData, InfoVeth, LinkInfo, LinkMessage};
use serde::{Deserialize, Serialize};

use super::{
    bond::Bond, bridge::Bridge, geneve::Geneve, gre::Gre, ipip::Ipip, ipvlan::IpVlan, macvlan::MacVlan, tun::Tun,
    vlan::Vlan, vrf::Vrf, vxlan::Vxlan,
};
use crate::{
    error::{Error, Result},
    netlink::attributes::Attributes,
};

/// What kind of link it is, and what is special about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum LinkKind {
    /// `lo`, which every network has.
    Loopback,
    /// One that no software made.
    Hardware,
    Bond(Bond),
    Bridge(Bridge),
    /// One that swallows what is sent to it.
    Dummy,
    Geneve(Geneve),
    /// IP within IP.
    Gre(Gre),
    /// An Ethernet within IP.
    GreTap(Gre),
    /// One for the traffic that a `tc` action redirects to it.
    Ifb,
    Ipip(Ipip),
    IpVlan(IpVlan),
    MacVlan(MacVlan),
    Tun(Tun),
    /// One end of a cable; the other end is a link, too.
    Veth,
    Vlan(Vlan),
    Vrf(Vrf),
    Vxlan(Vxlan),
    /// Its keys and peers are told by [`WireGuards`](crate::WireGuards).
    WireGuard,
    /// One that this crate knows by name only.
    Other {
        #[serde(rename = "type")]
        name: String,
    },
}

impl LinkKind {
    /// The kernel's name for it, where it has one.
    pub fn name(&self) -> &str {
        match self {
            Self::Loopback => "loopback",
            Self::Hardware => "hardware",
            Self::Bond(_) => "bond",
            Self::Bridge(_) => "bridge",
            Self::Dummy => "dummy",
            Self::Geneve(_) => "geneve",
            Self::Gre(_) => "gre",
            Self::GreTap(_) => "gretap",
            Self::Ifb => "ifb",
            Self::Ipip(_) => "ipip",
            Self::IpVlan(_) => "ipvlan",
            Self::MacVlan(_) => "macvlan",
            Self::Tun(_) => "tun",
            Self::Veth => "veth",
            Self::Vlan(_) => "vlan",
            Self::Vrf(_) => "vrf",
            Self::Vxlan(_) => "vxlan",
            Self::WireGuard => "wireguard",
            Self::Other { name } => name,
        }
    }

    /// Refuses what no kernel needs to see.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Vxlan(Vxlan { group: Some(_), remote: Some(_), .. }) => {
                Err(Error::InvalidArgument("a vxlan has a 'group' or a 'remote', not both".into()))
            }
            Self::Other { name } if name.is_empty() => {
                Err(Error::InvalidArgument(format!("'{name}' is no kind of link")))
            }
            _ => Ok(()),
        }
    }

    /// Whether the device is said in `IFLA_LINK`, and not among what is special about the kind.
    pub(crate) const fn has_dev_as_link(&self) -> bool {
        matches!(self, Self::Vlan(_) | Self::MacVlan(_) | Self::IpVlan(_) | Self::Other { .. })
    }

    /// What is special about one that a request makes. The builders of rtnetlink for each kind take one value at a time; here what
    /// is given, and what a list said, is one struct, which the same file reads.
    pub(crate) fn data(&self, dev: Option<u32>, veth_peer: Option<LinkMessage>) -> Option<InfoData> {
        match self {
            Self::Bond(bond) => Some(InfoData::Bond(bond.info())),
            Self::Bridge(bridge) => Some(InfoData::Bridge(bridge.info())),
            Self::Geneve(geneve) => Some(InfoData::Geneve(geneve.info())),
            Self::Gre(gre) => Some(InfoData::GreTun(gre.info(dev))),
            Self::GreTap(gre) => Some(InfoData::GreTap(gre.info(dev))),
            Self::Ipip(ipip) => Some(InfoData::IpTunnel(ipip.info(dev))),
            Self::IpVlan(ipvlan) => Some(InfoData::IpVlan(ipvlan.info())),
            Self::MacVlan(macvlan) => Some(InfoData::MacVlan(macvlan.info())),
            Self::Veth => veth_peer.map(|peer| InfoData::Veth(InfoVeth::Peer(peer))),
            Self::Vlan(vlan) => Some(InfoData::Vlan(vlan.info())),
            Self::Vrf(vrf) => Some(InfoData::Vrf(vrf.info())),
            Self::Vxlan(vxlan) => Some(InfoData::Vxlan(vxlan.info(dev))),
            _ => None,
        }
    }

    /// Whether all that the other one says is so of this one, too: attribute by attribute, as they travel.
    pub(crate) fn has_data_of(&self, other: &Self) -> bool {
        if let (Self::Tun(own), Self::Tun(other)) = (self, other) {
            return own.has_data_of(*other);
        }
        let (own, others) = (self.data_bytes(), other.data_bytes());
        let own: Vec<_> = Attributes::within(&own).collect();
        Attributes::within(&others).all(|attribute| own.contains(&attribute))
    }

    fn data_bytes(&self) -> Vec<u8> {
        let Some(data) = self.data(None, None).map(LinkInfo::Data) else { return Vec::new() };
        let mut bytes = vec![0; data.value_len()];
        data.emit_value(&mut bytes);
        bytes
    }

    /// The kind of this name, and the device that its data names. Data that cannot be read leaves the name.
    pub(crate) fn read(name: String, data: &[u8]) -> (Self, Option<u32>) {
        let kind = match name.as_str() {
            "dummy" => Self::Dummy,
            "ifb" => Self::Ifb,
            "veth" => Self::Veth,
            "wireguard" => Self::WireGuard,
            _ => return Self::read_data(&name, data).unwrap_or((Self::Other { name }, None)),
        };
        (kind, None)
    }

    fn read_data(name: &str, data: &[u8]) -> Option<(Self, Option<u32>)> {
        let kind = match name {
            "bond" => Self::Bond(Bond::read(infos(data))),
            "bridge" => Self::Bridge(Bridge::read(infos(data))),
            "geneve" => Self::Geneve(Geneve::read(infos(data))),
            "gre" => return Some(with_dev(Gre::read(infos(data)), Self::Gre)),
            "gretap" => return Some(with_dev(Gre::read(infos(data)), Self::GreTap)),
            "ipip" => return Some(with_dev(Ipip::read(data), Self::Ipip)),
            "ipvlan" => Self::IpVlan(IpVlan::read(infos(data))),
            "macvlan" => Self::MacVlan(MacVlan::read(infos(data))),
            "tun" => Self::Tun(Tun::read(data).ok()?),
            "vlan" => Self::Vlan(Vlan::read(infos(data))),
            "vrf" => Self::Vrf(Vrf::read(infos(data))),
            "vxlan" => return Some(with_dev(Vxlan::read(infos(data)), Self::Vxlan)),
            _ => return None,
        };
        Some((kind, None))
    }
}

/// What can be read of the data of a kind; the rest is passed over.
fn infos<'a, T: Parseable<NlaBuffer<&'a [u8]>>>(data: &'a [u8]) -> impl Iterator<Item = T> {
    Attributes::within(data).parsed(|attribute| T::parse(attribute).ok())
}

fn with_dev<T>((data, dev): (T, Option<u32>), kind: impl Fn(T) -> LinkKind) -> (LinkKind, Option<u32>) {
    (kind(data), dev)
}
