//! Options of `synproxy` that several rules can use.

use serde::{Deserialize, Serialize};

use crate::{
    firewall::{expression::action::synproxy::Synproxy as Expression, statement::Synproxy},
    netlink::{attributes::Malformed, nfnetlink::writer::Writer},
};

/// Options of `synproxy` that several rules can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSynproxy {
    #[serde(flatten)]
    pub synproxy: Synproxy,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl NamedSynproxy {
    pub(super) fn write(&self, writer: &mut Writer) {
        self.synproxy.lower().write(writer);
    }

    pub(super) fn read(data: &[u8], comment: Option<String>) -> Result<Self, Malformed> {
        Ok(Self { synproxy: Synproxy::lift(&Expression::read_fields(data)?), comment })
    }
}
