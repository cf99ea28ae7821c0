//! A class, as the kernel describes it, and as it is added.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::kind::ClassKind;
use crate::{
    link_ref,
    netlink::attributes::{Attributes, Malformed, text, u32_at},
    qdisc::{Handle, QdiscStatistics},
};

/// A class.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Class {
    /// The index of the link.
    #[serde(serialize_with = "link_ref::index")]
    pub link: u32,
    #[serde(flatten)]
    pub kind: ClassKind,
    pub handle: Handle,
    /// The class above, or the queueing discipline.
    pub parent: Handle,
    /// The queueing discipline in which the packets of the class wait.
    pub leaf: Option<Handle>,
    pub statistics: ClassStatistics,
}

/// A class to add.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ClassSpec {
    #[serde(flatten)]
    pub kind: ClassKind,
    pub handle: Handle,
    pub parent: Handle,
}

/// The counters of a class.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClassStatistics {
    #[serde(flatten)]
    pub basic: QdiscStatistics,
    /// htb: how many packets were sent at the class' own rate.
    pub lends: Option<u32>,
    /// htb: how many packets were sent at a rate that it has borrowed.
    pub borrows: Option<u32>,
}

/// `struct tcmsg` of rtnetlink(7).
const HEADER: usize = 20;

/// `TCA_STATS_APP` of linux/gen_stats.h; for htb, `struct tc_htb_xstats`.
const STATS_APP: u16 = 4;

impl Class {
    /// Reads the body of an `RTM_NEWTCLASS`.
    pub(crate) fn read(message: &[u8]) -> Result<Self, Malformed> {
        let mut name = String::new();
        let (mut options, mut counters): (&[u8], &[u8]) = (&[], &[]);
        for attribute in Attributes::behind(HEADER, message)? {
            match attribute? {
                (libc::TCA_KIND, value) => name = text(value),
                (libc::TCA_OPTIONS, value) => options = value,
                (libc::TCA_STATS2, value) => counters = value,
                _ => {}
            }
        }
        let kind = ClassKind::read(name, options);
        let is_htb = matches!(kind, ClassKind::Htb(_));
        Ok(Self {
            link: u32_at(message, 4)?,
            kind,
            handle: Handle::from_u32(u32_at(message, 8)?),
            parent: Handle::from_u32(u32_at(message, 12)?),
            leaf: Some(Handle::from_u32(u32_at(message, 16)?)).filter(|leaf| *leaf != Handle::NONE),
            statistics: ClassStatistics::read(counters, is_htb)?,
        })
    }
}

impl ClassStatistics {
    fn read(value: &[u8], is_htb: bool) -> Result<Self, Malformed> {
        let mut statistics = Self { basic: QdiscStatistics::read(value)?, lends: None, borrows: None };
        for attribute in Attributes::within(value) {
            let (kind, value) = attribute?;
            if kind == STATS_APP && is_htb {
                (statistics.lends, statistics.borrows) = (Some(u32_at(value, 0)?), Some(u32_at(value, 4)?));
            }
        }
        Ok(statistics)
    }
}
