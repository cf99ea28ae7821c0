//! An action of a filter: what is done with a packet (tc-actions(8)).

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::action_kind::ActionKind;
use crate::{
    netlink::attributes::{Attributes, Malformed, text},
    netlink::message::AttributeWriter,
    qdisc::QdiscStatistics,
};

/// An action, with its counters in a list.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    #[serde(flatten)]
    pub kind: ActionKind,
    #[serde(skip_deserializing)]
    pub statistics: Option<QdiscStatistics>,
}

/// `TCA_ACT_*` of linux/pkt_cls.h.
const KIND: u16 = 1;
const OPTIONS: u16 = 2;
const STATS: u16 = 4;

impl Action {
    /// Writes the action. `link` is the index of its link, if it has one.
    pub(super) fn write(&self, link: u32, attributes: &mut AttributeWriter) {
        attributes.put_text(KIND, self.kind.name());
        attributes.nest(OPTIONS, |options| self.kind.write(link, options));
    }

    /// Removes what changes with each packet. Kinds that this crate does not know have times in their options.
    pub(super) fn forget_counters(&mut self) {
        self.statistics = None;
        if let ActionKind::Other { options, .. } = &mut self.kind {
            *options = None;
        }
    }

    /// Reads a list of actions.
    pub(super) fn read_all(value: &[u8]) -> Result<Vec<Self>, Malformed> {
        let read = |attribute: Result<(u16, &[u8]), Malformed>| attribute.and_then(|(_, value)| Self::read(value));
        Attributes::within(value).map(read).collect()
    }

    fn read(value: &[u8]) -> Result<Self, Malformed> {
        let (mut name, mut options, mut statistics) = (String::new(), [].as_slice(), None);
        for attribute in Attributes::within(value) {
            match attribute? {
                (KIND, value) => name = text(value),
                (OPTIONS, value) => options = value,
                (STATS, value) => statistics = Some(QdiscStatistics::read(value)?),
                _ => {}
            }
        }
        Ok(Self { kind: ActionKind::read(name, options), statistics })
    }
}
