//! Reads and changes what links offload.

use std::{collections::BTreeMap, os::fd::OwnedFd, sync::Arc};

use netlink_packet_core::DefaultNla;
use netlink_packet_generic::constants::GENL_HDRLEN;
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::{
    bitset::{bits, bytes, changing, nested},
    groups::OffloadGroups,
};
use crate::{
    error::{NetlinkError, Result},
    link_ref::LinkRef,
    netlink::{
        attributes::{Attributes, Malformed},
        conversation::Conversation,
        generic::{GenericRequest, family},
        request::Request,
    },
};

/// What a link offloads, or what it shall offload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Offload {
    #[serde(flatten)]
    pub groups: OffloadGroups,
    /// Each feature that is in no group, and whether it is active.
    pub features: BTreeMap<String, bool>,
    /// The features that cannot be changed, and the groups of such features.
    #[serde(skip_deserializing)]
    pub fixed: Vec<String>,
}

/// Each feature, and whether it is active and can be changed.
type Features = BTreeMap<String, Feature>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Feature {
    is_active: bool,
    is_changeable: bool,
}

/// What the links of a network offload. Clones share the socket.
#[derive(Clone, Debug)]
pub struct Offloads {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    conversation: Conversation,
    family: OnceCell<u16>,
}

/// The family of generic netlink.
const FAMILY: &str = "ethtool";

/// `ETHTOOL_MSG_*` of linux/ethtool_netlink.h.
const FEATURES_GET: u8 = 11;
const FEATURES_SET: u8 = 12;

/// `ETHTOOL_A_FEATURES_*`.
const FEATURES_HEADER: u16 = 1;
const FEATURES_HW: u16 = 2;
const FEATURES_WANTED: u16 = 3;
const FEATURES_ACTIVE: u16 = 4;
const FEATURES_NOCHANGE: u16 = 5;

/// `ETHTOOL_A_HEADER_*`.
const HEADER_DEV_INDEX: u16 = 1;
const HEADER_FLAGS: u16 = 3;

/// `ETHTOOL_FLAG_OMIT_REPLY`: a change is only acknowledged.
const OMIT_REPLY: u32 = 1 << 1;

impl Offloads {
    /// Takes a socket of `AF_NETLINK` and `NETLINK_GENERIC` that no other code uses. Must be called inside a tokio runtime.
    pub fn open(socket: OwnedFd) -> Result<Self> {
        Conversation::open(socket).map(Self::over)
    }

    /// Like `open`, but needs no runtime, as [`Network::open_blocking`](crate::Network::open_blocking).
    pub fn open_blocking(socket: OwnedFd) -> Result<Self> {
        Conversation::open_blocking(socket).map(Self::over)
    }

    fn over(conversation: Conversation) -> Self {
        Self { shared: Arc::new(Shared { conversation, family: OnceCell::new() }) }
    }

    /// Returns what the link with this index offloads. Errors refer to the link as `called`.
    pub async fn get(&self, index: u32, called: &LinkRef) -> Result<Offload> {
        Ok(Offload::of(&self.features(index, called).await?))
    }

    /// Changes what the link with this index offloads. If a part cannot be changed, nothing is.
    ///
    /// Errors: `EOPNOTSUPP` for a feature that the link does not have or cannot change, `EPERM` without CAP_NET_ADMIN.
    pub async fn set(&self, index: u32, called: &LinkRef, wanted: &Offload) -> Result<()> {
        let before = self.features(index, called).await?;
        let changes = wanted.changes_of(&before).map_err(|name| refused(called, &name))?;
        if changes.is_empty() {
            return Ok(());
        }
        self.request(index, called, &changes).await?;
        // The kernel leaves out what depends on a feature that is off: netdev_fix_features() of net/core/dev.c.
        let Some(name) = wanted.difference(&self.features(index, called).await?) else { return Ok(()) };
        let is = |name: &String| before.get(name).is_some_and(|feature| feature.is_active);
        let were = changes.keys().map(|name| (name.clone(), is(name))).collect();
        let _ = self.request(index, called, &were).await;
        Err(refused(called, &name))
    }

    async fn features(&self, index: u32, called: &LinkRef) -> Result<Features> {
        let message = self.message(FEATURES_GET, index, 0, None, called).await?;
        let features = self.shared.conversation.get(Request::act(message), read_features).await;
        features.map_err(|error| error.of("ETHTOOL_MSG_FEATURES_GET", called))
    }

    async fn request(&self, index: u32, called: &LinkRef, features: &BTreeMap<String, bool>) -> Result<()> {
        let wanted = DefaultNla::new(FEATURES_WANTED | netlink_packet_core::NLA_F_NESTED, changing(features));
        let message = self.message(FEATURES_SET, index, OMIT_REPLY, Some(wanted), called).await?;
        let outcome = self.shared.conversation.act(Request::act(message)).await;
        outcome.map_err(|error| error.of("ETHTOOL_MSG_FEATURES_SET", called))
    }

    async fn message(
        &self,
        command: u8,
        index: u32,
        flags: u32,
        features: Option<DefaultNla>,
        called: &LinkRef,
    ) -> Result<GenericRequest> {
        let family = *self.shared.family.get_or_try_init(|| self.ask_family(called)).await?;
        let header = [
            DefaultNla::new(HEADER_DEV_INDEX, index.to_ne_bytes().into()),
            DefaultNla::new(HEADER_FLAGS, flags.to_ne_bytes().into()),
        ];
        let mut attributes = vec![nested(FEATURES_HEADER, &header)];
        attributes.extend(features);
        Ok(GenericRequest { family, command, version: 1, attributes: bytes(&attributes) })
    }

    async fn ask_family(&self, called: &LinkRef) -> Result<u16> {
        let number = self.shared.conversation.get(family::request(FAMILY), family::read).await;
        number.map_err(|error| error.of("CTRL_CMD_GETFAMILY", format_args!("'{FAMILY}' for link {called}")))
    }
}

fn refused(called: &LinkRef, name: &str) -> crate::Error {
    let error = NetlinkError::from(Errno::EOPNOTSUPP).of("ETHTOOL_MSG_FEATURES_SET", called);
    error.with_hint(format!("the link does not have the feature '{name}', or cannot change it"))
}

impl Offload {
    fn of(features: &Features) -> Self {
        let mut rest = features.clone();
        let mut offload = Self::default();
        let mut fixed = Vec::new();
        offload.groups.each(|group, state, members| {
            let members: Vec<_> = members.iter().filter_map(|name| rest.remove(*name)).collect();
            *state = Some(members.iter().any(|feature| feature.is_active));
            if !members.iter().any(|feature| feature.is_changeable) {
                fixed.push(group.to_owned());
            }
        });
        for (name, feature) in rest {
            if !feature.is_changeable {
                fixed.push(name.clone());
            }
            offload.features.insert(name, feature.is_active);
        }
        Self { fixed, ..offload }
    }

    /// Returns the features to change, or the name of what cannot be changed. A group that is in the wanted state stays as it is.
    fn changes_of(&self, features: &Features) -> std::result::Result<BTreeMap<String, bool>, String> {
        let now = Self::of(features);
        let mut changes = BTreeMap::new();
        let mut refused = None;
        let mut states = BTreeMap::new();
        now.groups.clone().each(|group, state, _| {
            states.insert(group, *state);
        });
        self.groups.clone().each(|group, wanted, members| {
            let Some(on) = wanted.filter(|_| states.get(group) != Some(wanted)) else { return };
            let changeable = |name: &&&str| features.get(**name).is_some_and(|feature| feature.is_changeable);
            let before = changes.len();
            changes.extend(members.iter().filter(changeable).map(|name| ((*name).to_owned(), on)));
            if changes.len() == before {
                refused.get_or_insert(group.to_owned());
            }
        });
        for (name, on) in &self.features {
            match features.get(name) {
                Some(feature) if feature.is_active == *on => {}
                Some(feature) if feature.is_changeable => drop(changes.insert(name.clone(), *on)),
                _ => drop(refused.get_or_insert(name.clone())),
            }
        }
        refused.map_or(Ok(changes), Err)
    }

    /// Returns the name of a part that is not as it is wanted.
    fn difference(&self, features: &Features) -> Option<String> {
        match self.changes_of(features) {
            Ok(changes) => changes.into_keys().next(),
            Err(name) => Some(name),
        }
    }
}

/// Reads the body of an `ETHTOOL_MSG_FEATURES_GET_REPLY`.
fn read_features(message: &[u8]) -> std::result::Result<Features, Malformed> {
    let mut features = Features::new();
    let (mut active, mut never) = (Vec::new(), Vec::new());
    for attribute in Attributes::behind(GENL_HDRLEN, message)? {
        match attribute? {
            (FEATURES_HW, set) => {
                let all = bits(set)?.into_iter();
                features.extend(all.map(|(name, is_changeable)| (name, Feature { is_active: false, is_changeable })));
            }
            (FEATURES_ACTIVE, set) => active = bits(set)?,
            (FEATURES_NOCHANGE, set) => never = bits(set)?,
            _ => {}
        }
    }
    for (name, is_active) in active {
        features.entry(name).or_default().is_active = is_active;
    }
    for (name, _) in never.into_iter().filter(|(_, is_never)| *is_never) {
        features.entry(name).or_default().is_changeable = false;
    }
    Ok(features)
}
