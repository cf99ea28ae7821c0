//! IP addresses of links.

use std::net::{IpAddr, Ipv4Addr};

use netlink_packet_route::{
    RouteNetlinkMessage,
    address::{AddressAttribute, AddressFlags, AddressMessage},
};
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{
    attributes::{Attributes, Malformed, array_at, ip, text, u8_at, u32_at},
    cidr::{self, Cidr, family},
    error::{Error, Result},
    link_ref::{self, LinkRef},
    network::Network,
    request::Request,
    scope::Scope,
};

/// An address that a link has.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Address {
    /// The index of the link.
    #[serde(serialize_with = "link_ref::index")]
    pub link: u32,
    #[serde(flatten, serialize_with = "cidr::in_parts")]
    pub cidr: Cidr,
    /// The other end of a point-to-point link. The prefix is its network's then.
    pub peer: Option<IpAddr>,
    pub broadcast: Option<Ipv4Addr>,
    pub scope: Scope,
    /// IPv4: the name of the link, and what may follow a colon.
    pub label: Option<String>,
    /// IPv6: whether it is not known yet that nobody else has it.
    pub tentative: bool,
    /// IPv6: whether somebody else has it.
    pub duplicate: bool,
    /// Whether it stays until it is deleted.
    pub permanent: bool,
    /// Whether nothing new is to be sent from it.
    #[serde(skip)]
    pub deprecated: bool,
}

/// An address that a link is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressSpec {
    pub cidr: Cidr,
    /// The other end of a point-to-point link. The prefix is its network's then.
    pub peer: Option<IpAddr>,
    pub broadcast: Option<Ipv4Addr>,
    /// `Host` for 127.0.0.0/8, else `Global`, unless told.
    pub scope: Option<Scope>,
    /// IPv6: use it at once, without asking whether somebody else has it.
    #[serde(default)]
    pub no_duplicate_detection: bool,
}

impl From<Cidr> for AddressSpec {
    fn from(cidr: Cidr) -> Self {
        Self { cidr, peer: None, broadcast: None, scope: None, no_duplicate_detection: false }
    }
}

impl std::str::FromStr for AddressSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        text.parse::<Cidr>().map(Self::from)
    }
}

/// The addresses of a network.
#[derive(Clone, Copy, Debug)]
pub struct Addresses<'a> {
    network: &'a Network,
}

impl<'a> Addresses<'a> {
    pub(crate) const fn of(network: &'a Network) -> Self {
        Self { network }
    }

    /// Those of this link, or all.
    pub async fn list(&self, link: Option<&LinkRef>) -> Result<Vec<Address>> {
        let index = match link {
            Some(link) => self.network.links().index(link).await?,
            None => 0,
        };
        let mut message = AddressMessage::default();
        message.header.index = index;
        let request = Request::dump(RouteNetlinkMessage::GetAddress(message));
        let is_wanted = |address: &Address| index == 0 || address.link == index;
        let read = |message: &[u8]| Address::read(message).map(|address| Some(address).filter(is_wanted));
        let addresses = self.network.conversation().dump(request, read).await;
        addresses.map_err(|refusal| match link {
            Some(link) => refusal.of("RTM_GETADDR", link),
            None => refusal.of("RTM_GETADDR", ""),
        })
    }

    /// Gives a link an address.
    pub async fn add(&self, link: &LinkRef, address: &AddressSpec) -> Result<()> {
        address.check()?;
        let index = self.network.links().index(link).await?;
        self.add_to(index, link, address).await
    }

    /// Takes an address away from a link.
    pub async fn delete(&self, link: &LinkRef, address: &AddressSpec) -> Result<()> {
        address.check()?;
        let index = self.network.links().index(link).await?;
        self.delete_from(index, link, address).await
    }

    /// Gives a link those of these addresses that it does not have; none when one of them fails.
    pub(crate) async fn add_all(&self, index: u32, link: &LinkRef, addresses: &[AddressSpec]) -> Result<()> {
        let mut added = Vec::new();
        for address in addresses {
            match self.add_to(index, link, address).await {
                Ok(()) => added.push(address),
                Err(error) if error.errno() == Some(Errno::EEXIST) => {}
                Err(error) => {
                    for address in added {
                        let _ = self.delete_from(index, link, address).await;
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    async fn add_to(&self, index: u32, link: &LinkRef, address: &AddressSpec) -> Result<()> {
        let request = Request::create(RouteNetlinkMessage::NewAddress(address.message(index)));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|refusal| refusal.of("RTM_NEWADDR", address.target(link)))
    }

    async fn delete_from(&self, index: u32, link: &LinkRef, address: &AddressSpec) -> Result<()> {
        let request = Request::act(RouteNetlinkMessage::DelAddress(address.message(index)));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|refusal| refusal.of("RTM_DELADDR", address.target(link)))
    }
}

impl AddressSpec {
    pub(crate) fn check(&self) -> Result<()> {
        let address = self.cidr.address;
        if self.peer.is_some_and(|peer| peer.is_ipv4() != address.is_ipv4()) {
            return Err(Error::InvalidArgument(format!("the peer of {address} is an address of another family")));
        }
        if self.broadcast.is_some() && address.is_ipv6() {
            return Err(Error::InvalidArgument(format!("{address} has no broadcast address: IPv6 has none")));
        }
        Ok(())
    }

    fn target(&self, link: &LinkRef) -> String {
        format!("{} of link {link}", self.cidr)
    }

    fn message(&self, index: u32) -> AddressMessage {
        let address = self.cidr.address;
        let mut message = AddressMessage::default();
        message.header.family = family(address);
        message.header.prefix_len = self.cidr.prefix_length;
        message.header.index = index;
        message.header.scope = u8::from(self.scope.unwrap_or_else(|| default_scope(address))).into();
        let flags = self.no_duplicate_detection.then_some(AddressAttribute::Flags(AddressFlags::Nodad));
        let attributes = [
            Some(AddressAttribute::Local(address)),
            Some(AddressAttribute::Address(self.peer.unwrap_or(address))),
            self.broadcast.map(AddressAttribute::Broadcast),
            flags,
        ];
        message.attributes.extend(attributes.into_iter().flatten());
        message
    }
}

fn default_scope(address: IpAddr) -> Scope {
    match address {
        IpAddr::V4(address) if address.is_loopback() => Scope::Host,
        _ => Scope::Global,
    }
}

/// `struct ifaddrmsg` of rtnetlink(7).
const HEADER: usize = 8;

impl Address {
    /// Reads the body of an `RTM_NEWADDR`.
    pub(crate) fn read(message: &[u8]) -> std::result::Result<Self, Malformed> {
        let mut flags = u32::from(u8_at(message, 2)?);
        let mut address = None;
        let mut local = None;
        let mut broadcast = None;
        let mut label = None;
        for attribute in Attributes::behind(HEADER, message)? {
            let (kind, value) = attribute?;
            match kind {
                libc::IFA_ADDRESS => address = Some(ip(value)?),
                libc::IFA_LOCAL => local = Some(ip(value)?),
                libc::IFA_BROADCAST => broadcast = Some(Ipv4Addr::from(array_at::<4>(value, 0)?)),
                libc::IFA_LABEL => label = Some(text(value)),
                libc::IFA_FLAGS => flags = u32_at(value, 0)?,
                _ => {}
            }
        }
        let own = local.or(address).ok_or(Malformed)?;
        Ok(Self {
            link: u32_at(message, 4)?,
            cidr: Cidr::new(own, u8_at(message, 1)?).map_err(|_| Malformed)?,
            peer: address.filter(|peer| *peer != own),
            broadcast,
            scope: u8_at(message, 3)?.into(),
            label,
            tentative: flags & libc::IFA_F_TENTATIVE != 0,
            duplicate: flags & libc::IFA_F_DADFAILED != 0,
            permanent: flags & libc::IFA_F_PERMANENT != 0,
            deprecated: flags & libc::IFA_F_DEPRECATED != 0,
        })
    }
}
