//! The kinds of class.

use serde::{Deserialize, Serialize};

use super::htb::HtbClass;
use crate::octets::Octets;

/// The kind of a class, which is that of its queueing discipline, with the settings of that kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ClassKind {
    Htb(HtbClass),
    /// A kind of which this crate knows only the name.
    Other {
        #[serde(rename = "type")]
        name: String,
        /// The options in the kernel's format.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        options: Option<Octets>,
    },
}

impl ClassKind {
    /// The kernel's name of the kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Htb(_) => "htb",
            Self::Other { name, .. } => name,
        }
    }

    pub(super) fn options(&self) -> Option<Vec<u8>> {
        match self {
            Self::Htb(htb) => Some(htb.options()),
            Self::Other { options, .. } => options.as_ref().map(|options| options.0.clone()),
        }
    }

    /// Reads the options of a kind. If they cannot be read, the result has only the name.
    pub(super) fn read(name: String, options: &[u8]) -> Self {
        let known = if name == "htb" { HtbClass::read(options).ok() } else { None };
        let octets = || Some(Octets(options.to_vec())).filter(|options| !options.0.is_empty());
        known.map_or_else(|| Self::Other { name, options: octets() }, Self::Htb)
    }
}
