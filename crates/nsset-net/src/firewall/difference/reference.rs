//! What a rule refers to by name: other chains, sets, counters and quotas of its table.

use std::collections::HashSet;

use crate::firewall::{
    matching::{
        mapped::{Mapped, Values},
        operand::Operand,
        test::{Test, Verdicts},
        verdict::Verdict,
    },
    statement::{Destination, Device, NewValue, ObjectRef, Queue, Statement, Target},
};

/// Whether bytes have a text.
fn has_text(bytes: &[u8], text: &str) -> bool {
    let text = [text.as_bytes(), &[0]].concat();
    bytes.windows(text.len()).any(|window| window == text)
}

/// The names of what is deleted, or is created again.
#[derive(Debug, Default)]
pub(super) struct Gone {
    pub chains: HashSet<String>,
    pub sets: HashSet<String>,
    pub objects: HashSet<String>,
}

impl Gone {
    pub fn is_empty(&self) -> bool {
        self.chains.is_empty() && self.sets.is_empty() && self.objects.is_empty()
    }

    /// Whether a rule refers to something of this.
    pub fn is_used_by(&self, rule: &[Statement]) -> bool {
        !self.is_empty() && rule.iter().any(|statement| self.is_in(statement))
    }

    fn is_in(&self, statement: &Statement) -> bool {
        match statement {
            Statement::Verdict(verdict) => self.is_target_of(verdict),
            Statement::Object(_, ObjectRef::Named(name)) => self.objects.contains(name),
            Statement::Object(_, ObjectRef::Mapped(mapped)) => self.is_map_of_objects(mapped),
            Statement::Match(_, test) => self.is_in_test(test),
            Statement::Set(_, NewValue::Mapped(mapped))
            | Statement::Queue(Queue { num: Some(NewValue::Mapped(mapped)), .. }) => self.is_map(mapped),
            Statement::Element(_, element) => self.sets.contains(element.set_name()),
            Statement::Masquerade(translation)
            | Statement::Redirect(translation)
            | Statement::Snat(translation)
            | Statement::Dnat(translation)
            | Statement::Tproxy(translation) => translation.mapped().any(|mapped| self.is_map(mapped)),
            Statement::Duplicate(destination) | Statement::Forward(destination) => self.is_in_destination(destination),
            // Its expressions refer to something by a text that ends with a NUL.
            Statement::Raw(octets) => {
                let all = self.chains.iter().chain(&self.sets).chain(&self.objects);
                all.into_iter().any(|name| has_text(&octets.0, name))
            }
            _ => false,
        }
    }

    /// Whether a verdict leads to a chain of this.
    pub fn is_target_of(&self, verdict: &Verdict) -> bool {
        match verdict {
            Verdict::Jump(chain) | Verdict::Goto(chain) => self.chains.contains(chain),
            _ => false,
        }
    }

    fn is_in_test(&self, test: &Test) -> bool {
        match test {
            Test::Is(operand) | Test::Compare(_, _, operand) => self.is_set(operand),
            Test::Verdicts(Verdicts::Named(name)) => self.sets.contains(name.trim_start_matches('@')),
            Test::Verdicts(Verdicts::List(list)) => list.iter().any(|(_, verdict)| self.is_target_of(verdict)),
            Test::In(_) | Test::NotIn(_) => false,
        }
    }

    fn is_in_destination(&self, Destination { to, device }: &Destination) -> bool {
        let to = matches!(to, Some(Target::Mapped(mapped)) if self.is_map(mapped));
        to || matches!(device, Some(Device::Mapped(mapped)) if self.is_map(mapped))
    }

    fn is_map(&self, mapped: &Mapped) -> bool {
        mapped.name().is_some_and(|name| self.sets.contains(name))
    }

    fn is_map_of_objects(&self, mapped: &Mapped) -> bool {
        match &mapped.map {
            Values::Named(_) => self.is_map(mapped),
            Values::List(list) => list.iter().any(|(_, object)| match object {
                Operand::Text(name) => self.objects.contains(name),
                _ => false,
            }),
        }
    }

    fn is_set(&self, operand: &Operand) -> bool {
        match operand {
            Operand::Text(text) => text.strip_prefix('@').is_some_and(|name| self.sets.contains(name)),
            _ => false,
        }
    }
}
