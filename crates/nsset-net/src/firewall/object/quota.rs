//! A quota that several rules can use.

use serde::{Deserialize, Serialize};

use crate::{
    firewall::{expression::action::quota::Quota as Expression, statement::Quota},
    netlink::{attributes::Malformed, nfnetlink::writer::Writer},
};

/// A quota that several rules can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedQuota {
    #[serde(flatten)]
    pub quota: Quota,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl NamedQuota {
    pub(super) fn write(&self, writer: &mut Writer) {
        self.quota.lower().write(writer);
    }

    pub(super) fn read(data: &[u8], comment: Option<String>) -> Result<Self, Malformed> {
        Ok(Self { quota: Quota::lift(&Expression::read_fields(data)?), comment })
    }
}
