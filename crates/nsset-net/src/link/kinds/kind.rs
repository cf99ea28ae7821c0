//! The kinds of link.

use netlink_packet_core::{DefaultNla, Nla, NlaBuffer, Parseable};
use netlink_packet_route::link::{InfoData, InfoVeth, LinkInfo, LinkMessage};
use serde::{Deserialize, Serialize};

use super::{
    bond::Bond,
    bridge::Bridge,
    ipvlan::IpVlan,
    macsec::Macsec,
    macvlan::MacVlan,
    netkit::Netkit,
    tun::Tun,
    tunnels::{Geneve, Gre, Ip6Gre, Ip6Tnl, Ipip, Sit, Vti, Vti6, Vxlan, Xfrm, carried_by, carrier_of},
    vlan::Vlan,
    vrf::Vrf,
};
use crate::{
    error::{Error, Result},
    netlink::attributes::Attributes,
};

/// The kind of a link, with the settings of that kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum LinkKind {
    /// `lo`, which every network has.
    Loopback,
    /// A hardware link.
    Hardware,
    Bond(Bond),
    Bridge(Bridge),
    /// A link that drops all packets.
    Dummy,
    Geneve(Geneve),
    /// IP within IP.
    Gre(Gre),
    /// An Ethernet within IP.
    GreTap(Gre),
    /// A link for traffic that a `tc` action redirects to it.
    Ifb,
    /// IP within GRE over IPv6.
    Ip6Gre(Ip6Gre),
    /// Ethernet within GRE over IPv6.
    Ip6GreTap(Ip6Gre),
    Ip6Tnl(Ip6Tnl),
    Ipip(Ipip),
    IpVlan(IpVlan),
    Macsec(Macsec),
    MacVlan(MacVlan),
    /// One end of a pair. The other end is also a link.
    Netkit(Netkit),
    Sit(Sit),
    Tun(Tun),
    /// One end of a virtual cable. The other end is also a link.
    Veth,
    Vlan(Vlan),
    Vrf(Vrf),
    Vti(Vti),
    Vti6(Vti6),
    Vxlan(Vxlan),
    Xfrm(Xfrm),
    /// [`WireGuards`](crate::WireGuards) reads and changes its keys and peers.
    WireGuard,
    /// A kind of which this crate knows only the name.
    Other {
        #[serde(rename = "type")]
        name: String,
    },
}

impl LinkKind {
    /// The kernel's name of the kind, if it has one.
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
            Self::Ip6Gre(_) => "ip6gre",
            Self::Ip6GreTap(_) => "ip6gretap",
            Self::Ip6Tnl(_) => "ip6tnl",
            Self::Ipip(_) => "ipip",
            Self::IpVlan(_) => "ipvlan",
            Self::Macsec(_) => "macsec",
            Self::MacVlan(_) => "macvlan",
            Self::Netkit(_) => "netkit",
            Self::Sit(_) => "sit",
            Self::Tun(_) => "tun",
            Self::Veth => "veth",
            Self::Vlan(_) => "vlan",
            Self::Vrf(_) => "vrf",
            Self::Vti(_) => "vti",
            Self::Vti6(_) => "vti6",
            Self::Vxlan(_) => "vxlan",
            Self::Xfrm(_) => "xfrm",
            Self::WireGuard => "wireguard",
            Self::Other { name } => name,
        }
    }

    /// Returns an error for settings that are invalid on every kernel.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Vxlan(Vxlan { group: Some(_), remote: Some(_), .. }) => {
                Err(Error::InvalidArgument("a vxlan has a 'group' or a 'remote', not both".into()))
            }
            Self::Macsec(macsec) => macsec.check(),
            Self::Other { name } if name.is_empty() => {
                Err(Error::InvalidArgument(format!("'{name}' is not a kind of link")))
            }
            _ => Ok(()),
        }
    }

    /// Whether the device is in `IFLA_LINK`, and not in the data of the kind.
    pub(crate) const fn has_dev_as_link(&self) -> bool {
        matches!(self, Self::Vlan(_) | Self::MacVlan(_) | Self::Macsec(_) | Self::IpVlan(_) | Self::Other { .. })
    }

    /// Returns the data of the kind for a request. This does not use the builders of rtnetlink for each kind, which take one
    /// value at a time: here one struct has the settings, and the same file reads it.
    pub(crate) fn data(&self, dev: Option<u32>, veth_peer: Option<LinkMessage>) -> Option<InfoData> {
        match self {
            Self::Bond(bond) => Some(InfoData::Other(bond.without_refused_defaults().bytes())),
            Self::Bridge(bridge) => Some(InfoData::Other(bridge.bytes())),
            Self::Geneve(geneve) => Some(InfoData::Geneve(geneve.info())),
            Self::Gre(gre) | Self::GreTap(gre) => Some(carried(dev, gre.attributes())),
            Self::Ip6Gre(gre) | Self::Ip6GreTap(gre) => Some(carried(dev, gre.attributes())),
            Self::Ip6Tnl(tunnel) => Some(carried(dev, tunnel.attributes())),
            Self::Ipip(ipip) => Some(carried(dev, ipip.attributes())),
            Self::IpVlan(ipvlan) => Some(InfoData::Other(ipvlan.bytes())),
            Self::Macsec(macsec) => Some(InfoData::Other(macsec.taken().bytes())),
            Self::MacVlan(macvlan) => Some(InfoData::Other(macvlan.with_mode().bytes())),
            Self::Netkit(netkit) => Some(InfoData::Other(netkit.bytes_with(veth_peer))),
            Self::Sit(sit) => Some(carried(dev, sit.attributes())),
            Self::Veth => veth_peer.map(|peer| InfoData::Veth(InfoVeth::Peer(peer))),
            Self::Vlan(vlan) => Some(InfoData::Other(vlan.bytes())),
            Self::Vrf(vrf) => Some(InfoData::Vrf(vrf.info())),
            Self::Vti(vti) => Some(carried(dev, vti.attributes())),
            Self::Vti6(vti) => Some(carried(dev, vti.attributes())),
            Self::Vxlan(vxlan) => Some(InfoData::Vxlan(vxlan.info(dev))),
            Self::Xfrm(xfrm) => Some(carried(dev, xfrm.attributes())),
            _ => None,
        }
    }

    /// Returns whether this has all settings of `other`. Compares the attributes in their wire format.
    pub(crate) fn has_data_of(&self, other: &Self) -> bool {
        if let (Self::Tun(own), Self::Tun(other)) = (self, other) {
            return own.has_data_of(*other);
        }
        let (own, others) = (self.data_bytes(), other.data_bytes());
        let own: Vec<_> = Attributes::within(&own).collect();
        Attributes::within(&others).all(|attribute| own.contains(&attribute))
    }

    /// Returns the settings that are also given in `other`, which is of the same kind.
    pub(crate) fn of_those_in(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Bond(own), Self::Bond(other)) => Self::Bond(own.undoing(other)),
            (Self::Bridge(own), Self::Bridge(other)) => Self::Bridge(own.of_those_in(other)),
            _ => self.clone(),
        }
    }

    fn data_bytes(&self) -> Vec<u8> {
        let Some(data) = self.data(None, None).map(LinkInfo::Data) else { return Vec::new() };
        let mut bytes = vec![0; data.value_len()];
        data.emit_value(&mut bytes);
        bytes
    }

    /// Reads the data of a kind, with its device. If the data cannot be read, the result has only the name.
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
            "bond" => Self::Bond(Bond::read(data)),
            "bridge" => Self::Bridge(Bridge::read(data)),
            "geneve" => Self::Geneve(Geneve::read(infos(data), data)),
            "gre" => return Some((Self::Gre(Gre::read(data)), carrier_of(data))),
            "gretap" => return Some((Self::GreTap(Gre::read(data)), carrier_of(data))),
            "ip6gre" => return Some((Self::Ip6Gre(Ip6Gre::read(data)), carrier_of(data))),
            "ip6gretap" => return Some((Self::Ip6GreTap(Ip6Gre::read(data)), carrier_of(data))),
            "ip6tnl" => return Some((Self::Ip6Tnl(Ip6Tnl::read_tunnel(data)), carrier_of(data))),
            "ipip" => return Some((Self::Ipip(Ipip::read_tunnel(data)), carrier_of(data))),
            "ipvlan" => Self::IpVlan(IpVlan::read_with_mode(data)),
            "macsec" => Self::Macsec(Macsec::read_with_port(data)),
            "macvlan" => Self::MacVlan(MacVlan::read_with_mode(data)),
            "netkit" => Self::Netkit(Netkit::read(data)),
            "sit" => return Some((Self::Sit(Sit::read(data)), carrier_of(data))),
            "tun" => Self::Tun(Tun::read(data).ok()?),
            "vlan" => Self::Vlan(Vlan::read_with_protocol(data)),
            "vrf" => Self::Vrf(Vrf::read(infos(data))),
            "vti" => return Some((Self::Vti(Vti::read(data)), carrier_of(data))),
            "vti6" => return Some((Self::Vti6(Vti6::read(data)), carrier_of(data))),
            "vxlan" => return Some(with_dev(Vxlan::read(infos(data), data), Self::Vxlan)),
            "xfrm" => return Some((Self::Xfrm(Xfrm::read(data)), carrier_of(data))),
            _ => return None,
        };
        Some((kind, None))
    }
}

/// Parses the data of a kind. Attributes that cannot be read are skipped.
fn infos<'a, T: Parseable<NlaBuffer<&'a [u8]>>>(data: &'a [u8]) -> impl Iterator<Item = T> {
    Attributes::within(data).parsed(|attribute| T::parse(attribute).ok())
}

/// The data of a tunnel whose packets leave through a device.
fn carried(dev: Option<u32>, attributes: Vec<DefaultNla>) -> InfoData {
    InfoData::Other(carried_by(dev, attributes))
}

fn with_dev<T>((data, dev): (T, Option<u32>), kind: impl Fn(T) -> LinkKind) -> (LinkKind, Option<u32>) {
    (kind(data), dev)
}
