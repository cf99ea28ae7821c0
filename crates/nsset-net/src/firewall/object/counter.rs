//! A counter that several rules can use.

use serde::{Deserialize, Serialize};

use crate::{firewall::expression::action::counter::Counter, netlink::nfnetlink::writer::Writer};

/// A counter that several rules can use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCounter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl NamedCounter {
    pub(super) fn write(writer: &mut Writer) {
        Counter::default().write(writer);
    }
}
