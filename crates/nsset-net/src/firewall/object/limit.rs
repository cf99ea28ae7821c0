//! A limit that several rules can use.

use serde::{Deserialize, Serialize};

use crate::{
    firewall::{expression::action::limit::Limit as Expression, statement::Limit},
    netlink::{attributes::Malformed, nfnetlink::writer::Writer},
};

/// A limit that several rules can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedLimit {
    #[serde(flatten)]
    pub limit: Limit,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl NamedLimit {
    pub(super) fn write(&self, writer: &mut Writer) {
        self.limit.lower().write(writer);
    }

    /// Returns `None` for a limit that has no name here.
    pub(super) fn read(data: &[u8], comment: Option<String>) -> Result<Option<Self>, Malformed> {
        let limit = Limit::lift(&Expression::read_fields(data)?);
        Ok(limit.map(|limit| Self { limit, comment }))
    }
}
