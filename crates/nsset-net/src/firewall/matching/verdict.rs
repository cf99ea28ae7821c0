//! Verdicts: what happens to a packet.

use serde::{Deserialize, Serialize};

use crate::firewall::expression::data::{Data, code};

/// What happens to a packet, as `"accept"` or `{ "jump": "chain" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Accept,
    Drop,
    Return,
    Continue,
    Jump(String),
    Goto(String),
}

impl Verdict {
    pub(crate) fn data(&self) -> Data {
        match self {
            Self::Accept => Data::Verdict(code::ACCEPT, None),
            Self::Drop => Data::Verdict(code::DROP, None),
            Self::Return => Data::Verdict(code::RETURN, None),
            Self::Continue => Data::Verdict(code::CONTINUE, None),
            Self::Jump(chain) => Data::Verdict(code::JUMP, Some(chain.clone())),
            Self::Goto(chain) => Data::Verdict(code::GOTO, Some(chain.clone())),
        }
    }

    pub(crate) fn of(data: &Data) -> Option<Self> {
        let Data::Verdict(code, chain) = data else { return None };
        match (*code, chain) {
            (code::ACCEPT, None) => Some(Self::Accept),
            (code::DROP, None) => Some(Self::Drop),
            (code::RETURN, None) => Some(Self::Return),
            (code::CONTINUE, None) => Some(Self::Continue),
            (code::JUMP, Some(chain)) => Some(Self::Jump(chain.clone())),
            (code::GOTO, Some(chain)) => Some(Self::Goto(chain.clone())),
            _ => None,
        }
    }
}
