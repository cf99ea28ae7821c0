//! What can be said of a link when it is made, and changed later.

use rtnetlink::{LinkMessageBuilder, LinkUnspec};
use serde::{Deserialize, Deserializer};

use super::link::Link;
use crate::{address::AddressSpec, error::Result, link_ref::LinkRef, mac::Mac};

/// `IPV6_MIN_MTU` of linux/ipv6.h.
const LEAST_IPV6_MTU: u32 = 1280;

/// A request about a link of any kind.
pub(super) type LinkBuilder = LinkMessageBuilder<LinkUnspec>;

/// How a link is to be. What is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct LinkState {
    /// A text for people, of at most 255 bytes; an empty one takes it away.
    pub alias: Option<String>,
    pub mac: Option<Mac>,
    /// In bytes.
    pub mtu: Option<u32>,
    pub up: Option<bool>,
    /// Whether it takes in every frame.
    pub promiscuous: Option<bool>,
    #[serde(deserialize_with = "some_master")]
    pub master: Option<Master>,
    /// Addresses that it has from then on, beside those it has.
    pub addresses: Vec<AddressSpec>,
}

/// Whose port a link is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Master {
    Nobody,
    Link(LinkRef),
}

/// In plain data, null is nobody, and what is not there is not to be changed.
fn some_master<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Master>, D::Error> {
    let link = Option::<LinkRef>::deserialize(deserializer)?;
    Ok(Some(link.map_or(Master::Nobody, Master::Link)))
}

/// What is to become of a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct LinkChanges {
    pub name: Option<String>,
    #[serde(flatten)]
    pub state: LinkState,
}

impl LinkState {
    pub(crate) fn check(&self) -> Result<()> {
        self.addresses.iter().try_for_each(AddressSpec::check)
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds all but the alias and the addresses to a request.
    pub(super) fn write(&self, master: Option<u32>, mut link: LinkBuilder) -> LinkBuilder {
        link = match self.up {
            Some(true) => link.up(),
            Some(false) => link.down(),
            None => link,
        };
        if let Some(is_promiscuous) = self.promiscuous {
            link = link.promiscuous(is_promiscuous);
        }
        if let Some(Mac(address)) = self.mac {
            link = link.address(address.to_vec());
        }
        if let Some(mtu) = self.mtu {
            link = link.mtu(mtu);
        }
        if let Some(index) = master {
            link = link.controller(index);
        }
        link
    }

    /// Those that come with one request, the addresses apart.
    fn count(&self) -> usize {
        let given = [
            self.alias.is_some(),
            self.mac.is_some(),
            self.mtu.is_some(),
            self.up.is_some(),
            self.promiscuous.is_some(),
            self.master.is_some(),
        ];
        given.into_iter().filter(|is_given| *is_given).count()
    }
}

impl LinkChanges {
    /// How many things one request changes.
    pub(crate) fn count(&self) -> usize {
        usize::from(self.name.is_some()) + self.state.count()
    }

    /// Adds all but the addresses to a request.
    pub(super) fn write(&self, master: Option<u32>, link: LinkBuilder) -> LinkBuilder {
        let mut link = self.state.write(master, link);
        if let Some(name) = &self.name {
            link = link.name(name.as_str());
        }
        if let Some(alias) = &self.state.alias {
            link = link.alias(alias.as_str());
        }
        link
    }

    /// Whether one request does it, which changes all or nothing. A link loses its master before it cannot have the other.
    pub(crate) fn is_one_step(&self) -> bool {
        let state = &self.state;
        self.count() <= 1 && state.addresses.is_empty() && self.name.is_none() && state.master.is_none()
    }

    /// Whether a link that is as this loses addresses or routes by it: when it goes down, when its MTU is too small for
    /// IPv6, when it comes to a VRF or goes from one.
    pub(crate) fn loses_addresses(&self, before: &Link) -> bool {
        let state = &self.state;
        let loses_ipv6 = state.mtu.is_some_and(|mtu| mtu < LEAST_IPV6_MTU && before.mtu >= LEAST_IPV6_MTU);
        before.up && (state.up == Some(false) || loses_ipv6 || state.master.is_some())
    }

    /// These without those that are so already, but for the master and the addresses.
    pub(crate) fn without_those_of(&self, link: &Link) -> Self {
        fn other<T: PartialEq>(wanted: Option<T>, is: &T) -> Option<T> {
            wanted.filter(|wanted| wanted != is)
        }
        let state = &self.state;
        Self {
            name: other(self.name.clone(), &link.name),
            state: LinkState {
                alias: other(state.alias.clone(), &link.alias.clone().unwrap_or_default()),
                mac: state.mac.filter(|mac| link.mac != Some(*mac)),
                mtu: other(state.mtu, &link.mtu),
                up: other(state.up, &link.up),
                promiscuous: other(state.promiscuous, &link.promiscuous),
                ..state.clone()
            },
        }
    }

    /// These without the addresses and whether it is up.
    pub(crate) fn but_up(&self) -> Self {
        Self { name: self.name.clone(), state: LinkState { up: None, addresses: Vec::new(), ..self.state.clone() } }
    }

    /// To be up, or not, and nothing else.
    pub(crate) fn only_up(up: bool) -> Self {
        Self { name: None, state: LinkState { up: Some(up), ..LinkState::default() } }
    }

    /// What makes the link as it was, where these would change it.
    pub(crate) fn undone(&self, before: &Link) -> Self {
        let state = &self.state;
        let master = before.master.map_or(Master::Nobody, |index| Master::Link(index.into()));
        Self {
            name: self.name.as_ref().map(|_| before.name.clone()),
            state: LinkState {
                alias: state.alias.as_ref().map(|_| before.alias.clone().unwrap_or_default()),
                mac: state.mac.and(before.mac),
                mtu: state.mtu.map(|_| before.mtu),
                up: state.up.map(|_| before.up),
                promiscuous: state.promiscuous.map(|_| before.promiscuous),
                master: state.master.as_ref().map(|_| master),
                addresses: Vec::new(),
            },
        }
    }
}
