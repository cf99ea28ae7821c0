//! The selectors of a match.

use std::{fmt, str::FromStr};

use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::selector::Selector;

/// The selectors of a match: one, or several that are compared together.
#[derive(Clone, Debug, PartialEq, SerializeDisplay, DeserializeFromStr)]
pub struct Selectors(pub(crate) Vec<Selector>);

impl FromStr for Selectors {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, crate::Error> {
        if let Ok(one) = text.parse() {
            return Ok(Self(vec![one]));
        }
        text.split(" . ").map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Selectors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&names.join(" . "))
    }
}
