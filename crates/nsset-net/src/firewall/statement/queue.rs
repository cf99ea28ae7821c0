//! `queue`: passes packets to a program.

use serde::{Deserialize, Serialize};

use super::{counter::is_false, set::NewValue};
use crate::{
    error::{Error, Result},
    firewall::{expression::action::queue::Queue as Expression, matching::operand::Operand},
};

/// Options of `queue`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    /// A number, a range of them, or a value that depends on the packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num: Option<NewValue>,
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
            Some(NewValue::Constant(Operand::Number(number))) => (*number as u16, *number as u16),
            Some(NewValue::Constant(Operand::Text(range))) => {
                let bounds = range.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
                bounds.ok_or_else(|| Error::InvalidArgument(format!("'{range}' is not a range of queues")))?
            }
            Some(_) => return Err(Error::InvalidArgument("a queue is a number or a range".into())),
        };
        Ok(Expression {
            number: Some(first),
            total: Some(last.saturating_sub(first).saturating_add(1)),
            flags: Some(self.flags()),
            source: None,
        })
    }

    /// Takes the number of the queue from a register.
    pub(crate) fn lower_from(&self, register: u32) -> Expression {
        let flags = Some(self.flags()).filter(|flags| *flags != 0);
        Expression { number: None, total: None, flags, source: Some(register) }
    }

    fn flags(&self) -> u16 {
        u16::from(self.bypass) * BYPASS + u16::from(self.fanout) * FANOUT
    }

    /// Reads the statement. `from` is the value of the register that it has.
    pub(crate) fn lift(queue: &Expression, from: Option<NewValue>) -> Option<Self> {
        let flags = queue.flags.unwrap_or(0);
        let (bypass, fanout) = (flags & BYPASS != 0, flags & FANOUT != 0);
        if queue.source.is_some() {
            return Some(Self { num: Some(from?), bypass, fanout });
        }
        let (first, total) = (queue.number?, queue.total.unwrap_or(1));
        let num = match (first, total) {
            (0, 1) => None,
            (first, 1) => Some(Operand::Number(first.into())),
            (first, total) => Some(Operand::Text(format!("{first}-{}", u32::from(first) + u32::from(total) - 1))),
        };
        Some(Self { num: num.map(NewValue::Constant), bypass, fanout })
    }
}
