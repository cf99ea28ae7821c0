//! IP addresses of links.

mod settle;

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use ipnet::IpNet;
use netlink_packet_core::DefaultNla;
use netlink_packet_route::{
    RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
};
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use serde_with::{serde_as, skip_serializing_none};

use crate::{
    cidr::{self, family},
    error::{Error, NetlinkError, Result},
    link_ref::{self, LinkRef},
    milliseconds::Milliseconds,
    netlink::attributes::{Attributes, Malformed, array_at, ip, text, u8_at, u32_at},
    netlink::request::Request,
    network::Network,
    scope::Scope,
};

pub use settle::AddressChanges;

/// An address that a link has.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// The index of the link.
    #[serde(serialize_with = "link_ref::index")]
    pub link: u32,
    #[serde(flatten, serialize_with = "cidr::in_parts")]
    pub cidr: IpNet,
    /// The other end of a point-to-point link. The prefix is then that of the peer's network.
    pub peer: Option<IpAddr>,
    pub broadcast: Option<Ipv4Addr>,
    pub scope: Scope,
    /// IPv4: the name of the link, and what may follow a colon.
    pub label: Option<String>,
    /// IPv6: whether duplicate address detection has not finished.
    pub tentative: bool,
    /// IPv6: whether duplicate address detection has found the address on another host.
    pub duplicate: bool,
    /// Whether the address has no lifetime, and stays until it is deleted.
    pub permanent: bool,
    /// Whether it is deprecated: new connections should not use it as their source.
    #[serde(skip)]
    pub deprecated: bool,
    #[serde(flatten)]
    pub options: AddressOptions,
}

/// An address to add to a link or to delete from it. It can be read from the data of an [`Address`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressSpec {
    pub cidr: IpNet,
    /// The other end of a point-to-point link. The prefix is then that of the peer's network.
    pub peer: Option<IpAddr>,
    pub broadcast: Option<Ipv4Addr>,
    /// Default: `Host` for 127.0.0.0/8, otherwise `Global`.
    pub scope: Option<Scope>,
    /// IPv4: the name of the link, and what may follow a colon.
    pub label: Option<String>,
    #[serde(flatten)]
    pub options: AddressOptions,
}

/// Lifetimes, flags and other attributes of an address: ip-address(8).
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AddressOptions {
    /// How long the address stays. Default: forever. The kernel counts whole seconds.
    #[serde_as(as = "Option<Milliseconds>")]
    pub valid_lifetime: Option<Duration>,
    /// How long the kernel chooses the address as a source. Default: forever.
    #[serde_as(as = "Option<Milliseconds>")]
    pub preferred_lifetime: Option<Duration>,
    /// The metric of the route to its network.
    pub metric: Option<u32>,
    /// The origin: 1 is the kernel for `lo`, 2 a router advertisement, 3 the kernel for a link (`IFAPROT_*`).
    pub protocol: Option<u8>,
    /// IPv6: skip duplicate address detection.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_duplicate_detection: bool,
    /// IPv6: use the address during duplicate address detection.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub optimistic: bool,
    /// IPv6: it is a home address (RFC 6275).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub home: bool,
    /// IPv6: the kernel creates temporary addresses from it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub manage_temporary: bool,
    /// The kernel adds no route to its network.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_prefix_route: bool,
    /// The kernel joins the multicast group of this address.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub auto_join: bool,
}

impl AddressOptions {
    /// `IFA_F_*` of linux/if_addr.h.
    fn flags(&self) -> u32 {
        let flags = [
            (self.no_duplicate_detection, libc::IFA_F_NODAD),
            (self.optimistic, libc::IFA_F_OPTIMISTIC),
            (self.home, libc::IFA_F_HOMEADDRESS),
            (self.manage_temporary, MANAGE_TEMPORARY),
            (self.no_prefix_route, NO_PREFIX_ROUTE),
            (self.auto_join, AUTO_JOIN),
        ];
        flags.into_iter().filter(|(is_set, _)| *is_set).fold(0, |flags, (_, flag)| flags | flag)
    }

    fn put_flags(&mut self, flags: u32) {
        let has = |flag| flags & flag != 0;
        self.no_duplicate_detection = has(libc::IFA_F_NODAD);
        self.optimistic = has(libc::IFA_F_OPTIMISTIC);
        self.home = has(libc::IFA_F_HOMEADDRESS);
        self.manage_temporary = has(MANAGE_TEMPORARY);
        self.no_prefix_route = has(NO_PREFIX_ROUTE);
        self.auto_join = has(AUTO_JOIN);
    }

    /// `struct ifa_cacheinfo` of linux/if_addr.h, for an address with a lifetime.
    fn lifetimes(&self) -> Option<[u8; 16]> {
        if self.valid_lifetime.is_none() && self.preferred_lifetime.is_none() {
            return None;
        }
        let seconds = |time: Option<Duration>| match time {
            Some(time) => u32::try_from(time.as_millis().div_ceil(1000)).unwrap_or(FOREVER),
            None => FOREVER,
        };
        let valid = seconds(self.valid_lifetime);
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&seconds(self.preferred_lifetime).min(valid).to_ne_bytes());
        bytes[4..8].copy_from_slice(&valid.to_ne_bytes());
        Some(bytes)
    }

    fn put_lifetimes(&mut self, cache_info: &[u8]) -> std::result::Result<(), Malformed> {
        let time = |seconds: u32| (seconds != FOREVER).then(|| Duration::from_secs(seconds.into()));
        self.preferred_lifetime = time(u32_at(cache_info, 0)?);
        self.valid_lifetime = time(u32_at(cache_info, 4)?);
        Ok(())
    }

    /// Whether the kernel can set these on an existing address: inet_rtm_newaddr() and inet6_addr_modify().
    fn are_for_later(&self) -> bool {
        *self != Self { no_duplicate_detection: self.no_duplicate_detection, ..Self::default() }
    }
}

/// `INFINITY_LIFE_TIME` of net/addrconf.h.
const FOREVER: u32 = u32::MAX;

// Those of linux/if_addr.h that libc does not have.
const MANAGE_TEMPORARY: u32 = 0x100;
const NO_PREFIX_ROUTE: u32 = 0x200;
const AUTO_JOIN: u32 = 0x400;
const IFA_RT_PRIORITY: u16 = 9;
const IFA_PROTO: u16 = 11;

impl From<&Address> for AddressSpec {
    fn from(address: &Address) -> Self {
        Self {
            cidr: address.cidr,
            peer: address.peer,
            broadcast: address.broadcast,
            scope: Some(address.scope),
            label: address.label.clone(),
            options: address.options.clone(),
        }
    }
}

/// The addresses of a network.
#[derive(Clone, Copy, Debug)]
pub struct Addresses<'a> {
    network: &'a Network,
}

impl Network {
    pub const fn addresses(&self) -> Addresses<'_> {
        Addresses { network: self }
    }
}

impl Addresses<'_> {
    /// Lists the addresses of a link, or all. Fails with `EAGAIN` if they keep changing while they are listed.
    pub async fn list(&self, link: Option<&LinkRef>) -> Result<Vec<Address>> {
        let index = match link {
            Some(link) => self.network.links().index(link).await?,
            None => 0,
        };
        let outcome = match self.dump(index).await {
            // Links appear and disappear during a dump. The addresses of one link are listed atomically.
            Err(error) if error.errno == Errno::EAGAIN && index == 0 => return self.list_by_links().await,
            outcome => outcome,
        };
        outcome.map_err(|error| match link {
            Some(link) => error.of("RTM_GETADDR", link),
            None => error.of("RTM_GETADDR", ""),
        })
    }

    async fn list_by_links(&self) -> Result<Vec<Address>> {
        let mut all = Vec::new();
        for link in self.network.links().list().await? {
            match self.dump(link.index).await {
                Ok(addresses) => all.extend(addresses),
                Err(error) if error.errno == Errno::ENODEV => {}
                Err(error) => return Err(error.of("RTM_GETADDR", "")),
            }
        }
        Ok(all)
    }

    /// Lists the addresses of the link with this index, or all for 0.
    async fn dump(&self, index: u32) -> std::result::Result<Vec<Address>, NetlinkError> {
        let mut message = AddressMessage::default();
        message.header.index = index;
        let request = Request::dump(RouteNetlinkMessage::GetAddress(message));
        let is_wanted = |address: &Address| index == 0 || address.link == index;
        let read = |message: &[u8]| Address::read(message).map(|address| Some(address).filter(is_wanted));
        self.network.dump(request, read).await
    }

    /// Adds an address to a link.
    pub async fn add(&self, link: &LinkRef, address: &AddressSpec) -> Result<()> {
        address.check()?;
        let index = self.network.links().index(link).await?;
        self.add_to(index, link, address).await
    }

    /// Deletes an address from a link.
    pub async fn delete(&self, link: &LinkRef, address: &AddressSpec) -> Result<()> {
        address.check()?;
        let index = self.network.links().index(link).await?;
        self.delete_from(index, link, address).await
    }

    /// Adds an address if the link does not have it, or changes its lifetimes, metric and flags to those that are given. Returns
    /// whether it was added.
    pub async fn ensure(&self, link: &LinkRef, address: &AddressSpec) -> Result<bool> {
        address.check()?;
        let index = self.network.links().index(link).await?;
        self.ensure_on(index, link, address).await
    }

    /// Adds an address, or replaces the lifetimes, metric and flags of the one that the link has.
    pub async fn replace(&self, link: &LinkRef, address: &AddressSpec) -> Result<()> {
        address.check()?;
        let index = self.network.links().index(link).await?;
        self.replace_on(index, link, address).await
    }

    /// Adds the addresses that a link does not have yet, and returns them. If one fails, the others are deleted again.
    pub(crate) async fn add_all(
        &self,
        index: u32,
        link: &LinkRef,
        addresses: &[AddressSpec],
    ) -> Result<Vec<AddressSpec>> {
        let mut added = Vec::new();
        for address in addresses {
            match self.ensure_on(index, link, address).await {
                Ok(true) => added.push(address.clone()),
                Ok(false) => {}
                Err(error) => {
                    self.delete_all(index, link, &added).await;
                    return Err(error);
                }
            }
        }
        Ok(added)
    }

    /// Deletes these addresses. Addresses that do not exist are ignored.
    pub(crate) async fn delete_all(&self, index: u32, link: &LinkRef, addresses: &[AddressSpec]) {
        for address in addresses {
            let _ = self.delete_from(index, link, address).await;
        }
    }

    /// Adds an address if the link does not have it, and returns whether it was added. Fails with `EEXIST` if the link has the
    /// address with other attributes that the kernel cannot change, such as another prefix for IPv6.
    async fn ensure_on(&self, index: u32, link: &LinkRef, address: &AddressSpec) -> Result<bool> {
        let error = match self.add_to(index, link, address).await {
            Ok(()) => return Ok(true),
            Err(error) if error.errno() == Some(Errno::EEXIST) => error,
            Err(error) => return Err(error),
        };
        let there = self.list(Some(&LinkRef::Index(index))).await?;
        let same = |there: &&Address| there.cidr.addr() == address.cidr.addr();
        if !there.iter().any(|there| address.matches(there)) {
            let there = there.iter().find(same).map(|there| there.cidr);
            return Err(error.with_hint(difference(there, address)));
        }
        if address.options.are_for_later() {
            self.replace_on(index, link, address).await?;
        }
        Ok(false)
    }

    async fn replace_on(&self, index: u32, link: &LinkRef, address: &AddressSpec) -> Result<()> {
        let request = Request::replace(RouteNetlinkMessage::NewAddress(address.message(index)));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|error| error.of("RTM_NEWADDR", address.target(link)))
    }

    async fn add_to(&self, index: u32, link: &LinkRef, address: &AddressSpec) -> Result<()> {
        let request = Request::create(RouteNetlinkMessage::NewAddress(address.message(index)));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|error| error.of("RTM_NEWADDR", address.target(link)))
    }

    async fn delete_from(&self, index: u32, link: &LinkRef, address: &AddressSpec) -> Result<()> {
        let request = Request::act(RouteNetlinkMessage::DelAddress(address.message(index)));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|error| error.of("RTM_DELADDR", address.target(link)))
    }
}

impl AddressSpec {
    pub(crate) fn check(&self) -> Result<()> {
        let address = self.cidr.addr();
        if self.peer.is_some_and(|peer| peer.is_ipv4() != address.is_ipv4()) {
            return Err(Error::InvalidArgument(format!("the peer of {address} is an address of another family")));
        }
        if self.label.as_ref().is_some_and(|label| label.is_empty() || label.len() > LABEL_MAX || label.contains('\0'))
        {
            return Err(Error::InvalidArgument(format!(
                "the label of {address} must have 1 to {LABEL_MAX} bytes and no NUL"
            )));
        }
        if self.broadcast.is_some() && address.is_ipv6() {
            return Err(Error::InvalidArgument(format!("{address} cannot have a broadcast address: IPv6 has none")));
        }
        Ok(())
    }

    fn target(&self, link: &LinkRef) -> String {
        format!("{} of link {link}", self.cidr)
    }

    /// `AddressMessageBuilder` of rtnetlink knows no peer, scope, label or flags, and adds a broadcast address that was not
    /// given.
    fn message(&self, index: u32) -> AddressMessage {
        let address = self.cidr.addr();
        let mut message = AddressMessage::default();
        message.header.family = family(address);
        message.header.prefix_len = self.cidr.prefix_len();
        message.header.index = index;
        message.header.scope = u8::from(self.scope.unwrap_or_else(|| default_scope(address))).into();
        let flags = Some(self.options.flags()).filter(|flags| *flags != 0);
        let bytes = |kind, value: Vec<u8>| AddressAttribute::Other(DefaultNla::new(kind, value));
        let attributes = [
            Some(AddressAttribute::Local(address)),
            Some(AddressAttribute::Address(self.peer.unwrap_or(address))),
            self.broadcast.map(AddressAttribute::Broadcast),
            self.label.clone().map(AddressAttribute::Label),
            flags.map(|flags| bytes(libc::IFA_FLAGS, flags.to_ne_bytes().into())),
            self.options.lifetimes().map(|lifetimes| bytes(libc::IFA_CACHEINFO, lifetimes.into())),
            self.options.metric.map(|metric| bytes(IFA_RT_PRIORITY, metric.to_ne_bytes().into())),
            self.options.protocol.map(|protocol| bytes(IFA_PROTO, vec![protocol])),
        ];
        message.attributes.extend(attributes.into_iter().flatten());
        message
    }

    /// Returns whether an existing address has all attributes of this one.
    fn matches(&self, address: &Address) -> bool {
        self.cidr == address.cidr
            && self.peer.filter(|peer| *peer != self.cidr.addr()) == address.peer
            && self.broadcast.is_none_or(|broadcast| address.broadcast == Some(broadcast))
            && (address.cidr.addr().is_ipv6() || self.scope.is_none_or(|scope| address.scope == scope))
            && self.label.as_ref().is_none_or(|label| address.label.as_ref() == Some(label))
    }
}

/// Returns how an existing address differs.
fn difference(there: Option<IpNet>, wanted: &AddressSpec) -> String {
    match there {
        Some(cidr) if cidr != wanted.cidr => {
            format!("the link has it as {cidr}, and the kernel cannot change the prefix: delete that address first")
        }
        _ => "the link has it with another peer, broadcast address, scope or label: delete that address first".into(),
    }
}

fn default_scope(address: IpAddr) -> Scope {
    match address {
        IpAddr::V4(address) if address.is_loopback() => Scope::Host,
        _ => Scope::Global,
    }
}

/// `IFNAMSIZ` of linux/if.h, without the NUL.
const LABEL_MAX: usize = 15;

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
        let mut options = AddressOptions::default();
        for attribute in Attributes::behind(HEADER, message)? {
            let (kind, value) = attribute?;
            match kind {
                libc::IFA_ADDRESS => address = Some(ip(value)?),
                libc::IFA_LOCAL => local = Some(ip(value)?),
                libc::IFA_BROADCAST => broadcast = Some(Ipv4Addr::from(array_at::<4>(value, 0)?)),
                libc::IFA_LABEL => label = Some(text(value)),
                libc::IFA_FLAGS => flags = u32_at(value, 0)?,
                libc::IFA_CACHEINFO => options.put_lifetimes(value)?,
                IFA_RT_PRIORITY => options.metric = Some(u32_at(value, 0)?).filter(|metric| *metric != 0),
                IFA_PROTO => options.protocol = Some(u8_at(value, 0)?).filter(|protocol| *protocol != 0),
                _ => {}
            }
        }
        options.put_flags(flags);
        let own = local.or(address).ok_or(Malformed)?;
        Ok(Self {
            link: u32_at(message, 4)?,
            cidr: IpNet::new(own, u8_at(message, 1)?).map_err(|_| Malformed)?,
            peer: address.filter(|peer| *peer != own),
            broadcast,
            scope: u8_at(message, 3)?.into(),
            label,
            tentative: flags & libc::IFA_F_TENTATIVE != 0,
            duplicate: flags & libc::IFA_F_DADFAILED != 0,
            permanent: flags & libc::IFA_F_PERMANENT != 0,
            deprecated: flags & libc::IFA_F_DEPRECATED != 0,
            options,
        })
    }
}
