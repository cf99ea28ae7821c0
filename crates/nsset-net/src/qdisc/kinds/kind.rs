//! The kinds of queueing discipline.

use serde::{Deserialize, Serialize};

use super::{cake::Cake, fq::Fq, fq_codel::FqCodel, htb::Htb, netem::Netem, prio::Prio, sfq::Sfq, tbf::Tbf};
use crate::{
    error::{Error, Result},
    netlink::attributes::Malformed,
    octets::Octets,
};

/// The kind of a queueing discipline, with the settings of that kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum QdiscKind {
    Cake(Box<Cake>),
    /// Where filters see the packets that arrive and leave.
    Clsact,
    Fq(Box<Fq>),
    FqCodel(FqCodel),
    Htb(Htb),
    /// Where filters see the packets that arrive.
    Ingress,
    Netem(Box<Netem>),
    Prio(Prio),
    Sfq(Sfq),
    Tbf(Tbf),
    /// A kind of which this crate knows only the name.
    Other {
        #[serde(rename = "type")]
        name: String,
        /// The options in the kernel's format.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        options: Option<Octets>,
    },
}

impl QdiscKind {
    /// The kernel's name of the kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Cake(_) => "cake",
            Self::Clsact => "clsact",
            Self::Fq(_) => "fq",
            Self::FqCodel(_) => "fq_codel",
            Self::Htb(_) => "htb",
            Self::Ingress => "ingress",
            Self::Netem(_) => "netem",
            Self::Prio(_) => "prio",
            Self::Sfq(_) => "sfq",
            Self::Tbf(_) => "tbf",
            Self::Other { name, .. } => name,
        }
    }

    /// Whether it handles arriving packets, and can have only one parent.
    pub(crate) fn is_for_ingress(&self) -> bool {
        matches!(self.name(), "ingress" | "clsact")
    }

    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Netem(netem) => netem.check(),
            Self::Tbf(tbf) => tbf.check(),
            Self::Other { name, .. } if name.is_empty() => {
                Err(Error::InvalidArgument(format!("'{name}' is not a kind of queueing discipline")))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn options(&self) -> Option<Vec<u8>> {
        match self {
            Self::Cake(cake) => Some(cake.bytes()),
            Self::Clsact | Self::Ingress => None,
            Self::Fq(fq) => Some(fq.bytes()),
            Self::FqCodel(codel) => Some(codel.options()),
            Self::Htb(htb) => Some(htb.options()),
            Self::Netem(netem) => Some(netem.options()),
            Self::Prio(prio) => Some(prio.options()),
            Self::Sfq(sfq) => Some(sfq.options()),
            Self::Tbf(tbf) => Some(tbf.options()),
            Self::Other { options, .. } => options.as_ref().map(|options| options.0.clone()),
        }
    }

    /// Reads the options of a kind. If they cannot be read, the result has only the name.
    pub(crate) fn read(name: String, options: &[u8]) -> Self {
        let kind = match name.as_str() {
            "cake" => Ok(Self::Cake(Cake::read_overhead(options).into())),
            "clsact" => Ok(Self::Clsact),
            "fq" => Ok(Self::Fq(Fq::read(options).into())),
            "fq_codel" => FqCodel::read(options).map(Self::FqCodel),
            "htb" => Htb::read(options).map(Self::Htb),
            "ingress" => Ok(Self::Ingress),
            "netem" => Netem::read(options).map(Box::new).map(Self::Netem),
            "prio" => Prio::read(options).map(Self::Prio),
            "sfq" => Sfq::read(options).map(Self::Sfq),
            "tbf" => Tbf::read(options).map(Self::Tbf),
            _ => Err(Malformed),
        };
        let octets = || Some(Octets(options.to_vec())).filter(|options| !options.0.is_empty());
        kind.unwrap_or_else(|_| Self::Other { name, options: octets() })
    }
}
