//! The properties that a link has from its creation, and that can be changed later.

use netlink_packet_route::link::LinkAttribute;
use rtnetlink::{LinkMessageBuilder, LinkUnspec};
use serde::{Deserialize, Deserializer};

use super::{kinds::LinkKind, link::Link, properties::Port, properties::Tuning};
use crate::{address::AddressSpec, error::Result, link_ref::LinkRef, mac::Mac};

/// `IPV6_MIN_MTU` of linux/ipv6.h.
const LEAST_IPV6_MTU: u32 = 1280;

/// A request about a link of any kind.
pub(super) type LinkBuilder = LinkMessageBuilder<LinkUnspec>;

/// The wanted state of a link. Fields that are left out do not change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LinkState {
    /// A description of at most 255 bytes. An empty text removes it.
    pub alias: Option<String>,
    pub mac: Option<Mac>,
    /// In bytes.
    pub mtu: Option<u32>,
    pub up: Option<bool>,
    /// Whether the link receives all frames.
    pub promiscuous: Option<bool>,
    /// Whether neighbours are found by ARP and NDP.
    pub arp: Option<bool>,
    pub multicast: Option<bool>,
    /// Whether the link receives the frames of all multicast groups.
    pub all_multicast: Option<bool>,
    #[serde(deserialize_with = "some_master")]
    pub master: Option<Master>,
    /// The settings of the link as a port of its master. They are lost when it leaves the master.
    #[serde(flatten)]
    pub port: Port,
    /// The alternative names; others are removed.
    pub alt_names: Option<Vec<String>>,
    #[serde(flatten)]
    pub tuning: Tuning,
    /// Addresses to add to those that the link has.
    pub addresses: Vec<AddressSpec>,
}

/// The master of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Master {
    None,
    Link(LinkRef),
}

/// In plain data, null means no master, and a missing property means no change.
fn some_master<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Master>, D::Error> {
    let link = Option::<LinkRef>::deserialize(deserializer)?;
    Ok(Some(link.map_or(Master::None, Master::Link)))
}

/// Changes to a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct LinkChanges {
    pub name: Option<String>,
    /// The kind that the link has, with those settings of the kind that change.
    #[serde(rename = "data")]
    pub kind: Option<LinkKind>,
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

    /// Adds all fields except the alias and the addresses to a request.
    pub(super) fn write(&self, master: Option<u32>, mut link: LinkBuilder) -> LinkBuilder {
        link = match self.up {
            Some(true) => link.up(),
            Some(false) => link.down(),
            None => link,
        };
        if let Some(is_promiscuous) = self.promiscuous {
            link = link.promiscuous(is_promiscuous);
        }
        if let Some(has_arp) = self.arp {
            link = link.arp(has_arp);
        }
        if let Some(has_multicast) = self.multicast {
            link = link.multicast(has_multicast);
        }
        if let Some(has_all) = self.all_multicast {
            link = link.allmulticast(has_all);
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
        for attribute in self.tuning.attributes() {
            link = link.append_extra_attribute(LinkAttribute::Other(attribute));
        }
        link
    }

    /// Returns what is set when a link is created in another network.
    pub(super) fn first(&self) -> Self {
        Self { mac: self.mac, mtu: self.mtu, tuning: self.tuning.clone(), ..Self::default() }
    }

    /// Returns everything else.
    pub(super) fn without_first(&self) -> Self {
        Self { mac: None, mtu: None, tuning: Tuning::default(), ..self.clone() }
    }

    /// How many fields the first request changes.
    fn count(&self) -> usize {
        let given = [
            self.alias.is_some(),
            self.mac.is_some(),
            self.mtu.is_some(),
            self.up.is_some(),
            self.promiscuous.is_some(),
            self.arp.is_some(),
            self.multicast.is_some(),
            self.all_multicast.is_some(),
            self.master.is_some(),
        ];
        given.into_iter().filter(|is_given| *is_given).count() + self.tuning.count()
    }
}

impl LinkChanges {
    /// Whether the kind, the port or the alternative names change, each of which takes requests of its own.
    pub(super) fn needs_more(&self) -> bool {
        self.kind.is_some() || !self.state.port.is_empty() || self.state.alt_names.is_some()
    }

    /// How many properties one request changes.
    pub(crate) fn count(&self) -> usize {
        usize::from(self.name.is_some()) + self.state.count()
    }

    /// Adds everything except the addresses to a request.
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

    /// Whether one request is enough, which changes everything or nothing. A change of the master is not: the link loses the old
    /// master even if the new one does not accept it.
    pub(crate) fn is_one_step(&self) -> bool {
        let state = &self.state;
        self.count() <= 1
            && !self.needs_more()
            && state.addresses.is_empty()
            && self.name.is_none()
            && state.master.is_none()
    }

    /// Whether these changes make a link lose addresses or routes: if it goes down, if its MTU becomes too small for IPv6, or if
    /// it enters or leaves a VRF.
    pub(crate) fn loses_addresses(&self, before: &Link) -> bool {
        let state = &self.state;
        let loses_ipv6 = state.mtu.is_some_and(|mtu| mtu < LEAST_IPV6_MTU && before.mtu >= LEAST_IPV6_MTU);
        before.up && (state.up == Some(false) || loses_ipv6 || state.master.is_some())
    }

    /// Removes the changes that the link already has, except the master, the port, the alternative names and the addresses.
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
                arp: other(state.arp, &link.arp),
                multicast: other(state.multicast, &link.multicast),
                all_multicast: other(state.all_multicast, &link.all_multicast),
                tuning: state.tuning.without_those_of(&link.tuning),
                ..state.clone()
            },
            ..self.clone()
        }
    }

    /// Removes `up`.
    pub(crate) fn but_up(&self) -> Self {
        Self { state: LinkState { up: None, ..self.state.clone() }, ..self.clone() }
    }

    /// Changes only whether the link is up.
    pub(crate) fn only_up(up: bool) -> Self {
        Self { state: LinkState { up: Some(up), ..LinkState::default() }, ..Self::default() }
    }

    /// Returns the changes that undo these changes.
    pub(crate) fn undone(&self, before: &Link) -> Self {
        let state = &self.state;
        let master = before.master.map_or(Master::None, |index| Master::Link(index.into()));
        Self {
            name: self.name.as_ref().map(|_| before.name.clone()),
            kind: self.kind.as_ref().map(|kind| before.kind.of_those_in(kind)),
            state: LinkState {
                alias: state.alias.as_ref().map(|_| before.alias.clone().unwrap_or_default()),
                mac: state.mac.and(before.mac),
                mtu: state.mtu.map(|_| before.mtu),
                up: state.up.map(|_| before.up),
                promiscuous: state.promiscuous.map(|_| before.promiscuous),
                arp: state.arp.map(|_| before.arp),
                multicast: state.multicast.map(|_| before.multicast),
                all_multicast: state.all_multicast.map(|_| before.all_multicast),
                master: state.master.as_ref().map(|_| master),
                port: self.undone_port(before),
                alt_names: state.alt_names.as_ref().map(|_| before.alt_names.clone()),
                tuning: before.tuning.of_those_in(&state.tuning),
                addresses: Vec::new(),
            },
        }
    }

    /// A link that leaves its master loses all settings of the port.
    fn undone_port(&self, before: &Link) -> Port {
        match &self.state.master {
            Some(_) => before.port.without_state(),
            None => before.port.of_those_in(&self.state.port),
        }
    }
}
