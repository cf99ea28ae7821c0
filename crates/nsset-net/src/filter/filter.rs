//! A filter, as the kernel describes it, and as it is added.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{
    action::Action,
    kind::{FilterKind, FilterOptions},
    parent::FilterParent,
    protocol::Protocol,
};
use crate::{
    link_ref,
    netlink::attributes::{Attributes, Malformed, text, u32_at},
    qdisc::Handle,
};

/// A filter.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// The index of the link.
    #[serde(serialize_with = "link_ref::index")]
    pub link: u32,
    #[serde(flatten)]
    pub kind: FilterKind,
    pub parent: FilterParent,
    /// Filters are tried from the lowest number to the highest.
    pub priority: u16,
    pub protocol: Protocol,
    pub handle: u32,
    /// The chain, if it is not the first.
    pub chain: Option<u32>,
    /// The class of the packets that match.
    pub class: Option<Handle>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
}

/// A filter to add.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FilterSpec {
    #[serde(flatten)]
    pub kind: FilterKind,
    #[serde(flatten)]
    pub place: FilterPlace,
    pub class: Option<Handle>,
    #[serde(default)]
    pub actions: Vec<Action>,
}

/// What identifies a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct FilterPlace {
    pub parent: FilterParent,
    /// 0: the kernel chooses one.
    #[serde(default)]
    pub priority: u16,
    #[serde(default)]
    pub protocol: Protocol,
    /// 0: the kernel chooses one.
    #[serde(default)]
    pub handle: u32,
    pub chain: Option<u32>,
}

impl FilterPlace {
    /// `tcm_info` of `struct tcmsg`.
    pub(super) fn info(self) -> u32 {
        u32::from(self.priority) << 16 | u32::from(u16::from(self.protocol).to_be())
    }
}

/// `struct tcmsg` of rtnetlink(7).
const HEADER: usize = 20;

/// `TCA_CHAIN` of linux/rtnetlink.h.
pub(super) const CHAIN: u16 = 11;

impl Filter {
    /// Returns what changes only if a program changes it. Kinds that this crate does not know have counters in their options.
    pub(crate) fn without_counters(&self) -> Self {
        let mut filter = self.clone();
        if let FilterKind::Other { options, .. } = &mut filter.kind {
            *options = None;
        }
        for action in &mut filter.actions {
            action.forget_counters();
        }
        filter
    }

    /// Reads the body of an `RTM_NEWTFILTER`. `None` if it is not a filter, but what holds those of a priority, or a hash table.
    pub(crate) fn read(message: &[u8]) -> Result<Option<Self>, Malformed> {
        let (mut name, mut options, mut chain) = (String::new(), None, 0);
        for attribute in Attributes::behind(HEADER, message)? {
            match attribute? {
                (libc::TCA_KIND, value) => name = text(value),
                (libc::TCA_OPTIONS, value) => options = Some(value),
                (CHAIN, value) => chain = u32_at(value, 0)?,
                _ => {}
            }
        }
        let (handle, info) = (u32_at(message, 8)?, u32_at(message, 16)?);
        // The lowest 12 bits are the number of a filter in its table.
        let is_table = name == "u32" && handle.trailing_zeros() >= 12;
        let Some(options) = options.filter(|_| handle != 0 && !is_table) else { return Ok(None) };
        let FilterOptions { kind, class, actions } = FilterKind::read(&name, options);
        Ok(Some(Self {
            link: u32_at(message, 4)?,
            kind,
            parent: FilterParent(Handle::from_u32(u32_at(message, 12)?)),
            priority: (info >> 16) as u16,
            protocol: u16::from_be(info as u16).into(),
            handle,
            chain: Some(chain).filter(|chain| *chain != 0),
            class,
            actions,
        }))
    }
}
