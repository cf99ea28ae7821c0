//! A value that depends on the packet: what a map has for the values of some selectors, `{ "tcp dport": { "map": "@services" } }`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{operand::Operand, selectors::Selectors};
use crate::error::Error;

/// A value that a map has for the values of selectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Mapped {
    pub(crate) selectors: Selectors,
    pub(crate) map: Values,
}

/// A map to values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// `@name`.
    Named(String),
    List(Vec<(Operand, Operand)>),
}

/// An object with one key.
type Written = BTreeMap<String, Map>;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    map: Values,
}

impl TryFrom<Written> for Mapped {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Error> {
        let entry = written.into_iter().next();
        let (selectors, Map { map }) =
            entry.ok_or_else(|| Error::InvalidArgument("a map without a selector".into()))?;
        Ok(Self { selectors: selectors.parse()?, map })
    }
}

impl From<Mapped> for Written {
    fn from(Mapped { selectors, map }: Mapped) -> Self {
        Self::from([(selectors.to_string(), Map { map })])
    }
}

impl Mapped {
    /// Returns the name of the map, if it has one.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.map {
            Values::Named(name) => Some(name.trim_start_matches('@')),
            Values::List(_) => None,
        }
    }
}
