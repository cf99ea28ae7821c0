//! `queue`: passes packets to a program.

use serde::{Deserialize, Serialize};

use super::counter::is_false;
use crate::{
    error::{Error, Result},
    firewall::{expression::action::queue::Queue as Expression, matching::operand::Operand},
};

/// Options of `queue`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// A number, or a range of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num: Option<Operand>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub bypass: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub fanout: bool,
}

/// `NFT_QUEUE_FLAG_*`.
const BYPASS: u16 = 1;
const FANOUT: u16 = 2;

impl Queue {
    pub(crate) fn lower(&self) -> Result<Expression> {
        let (first, last) = match &self.num {
            None => (0, 0),
            Some(Operand::Number(number)) => (*number as u16, *number as u16),
            Some(Operand::Text(range)) => {
                let bounds = range.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
                bounds.ok_or_else(|| Error::InvalidArgument(format!("'{range}' is not a range of queues")))?
            }
            Some(Operand::List(_)) => return Err(Error::InvalidArgument("a queue is a number or a range".into())),
        };
        Ok(Expression {
            number: Some(first),
            total: Some(last.saturating_sub(first).saturating_add(1)),
            flags: Some(u16::from(self.bypass) * BYPASS + u16::from(self.fanout) * FANOUT),
            source: None,
        })
    }

    pub(crate) fn lift(queue: &Expression) -> Option<Self> {
        let (first, total) = (queue.number?, queue.total.unwrap_or(1));
        let num = match (first, total) {
            (0, 1) => None,
            (first, 1) => Some(Operand::Number(first.into())),
            (first, total) => Some(Operand::Text(format!("{first}-{}", u32::from(first) + u32::from(total) - 1))),
        };
        let flags = queue.flags.unwrap_or(0);
        queue.source.is_none().then_some(Self { num, bypass: flags & BYPASS != 0, fanout: flags & FANOUT != 0 })
    }
}
