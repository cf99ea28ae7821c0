//! Where a filter stands: at a queueing discipline, at a class, or where packets arrive or leave.

use std::{fmt, str::FromStr};

use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::{error::Error, qdisc::Handle};

/// A handle, `ingress` or `egress`: the two ends of a `clsact`; an `ingress` has only the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, SerializeDisplay, DeserializeFromStr)]
pub struct FilterParent(pub Handle);

impl FilterParent {
    /// `TC_H_MIN_INGRESS` and `TC_H_MIN_EGRESS` of linux/pkt_sched.h.
    pub const INGRESS: Self = Self(Handle { major: 0xFFFF, minor: 0xFFF2 });
    pub const EGRESS: Self = Self(Handle { major: 0xFFFF, minor: 0xFFF3 });
}

impl FromStr for FilterParent {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "ingress" => Ok(Self::INGRESS),
            "egress" => Ok(Self::EGRESS),
            text => text.parse().map(Self),
        }
    }
}

impl fmt::Display for FilterParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::INGRESS => formatter.write_str("ingress"),
            Self::EGRESS => formatter.write_str("egress"),
            Self(handle) => handle.fmt(formatter),
        }
    }
}
