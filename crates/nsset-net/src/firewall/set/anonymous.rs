//! Sets and maps without a name, which belong to one rule.

use super::element::{Element, Storage, sort_intervals};
use crate::{
    error::Result,
    firewall::matching::{data_type::DataType, operand::Operand, verdict::Verdict},
};

/// The names of anonymous sets and maps, where the kernel puts a number.
const SET: &str = "__set%d";
const MAP: &str = "__map%d";

/// A set that a rule needs.
#[derive(Clone, Debug)]
pub(crate) struct AnonymousSet {
    pub id: u32,
    pub key: Vec<&'static DataType>,
    pub elements: Vec<Element>,
    pub has_verdicts: bool,
    pub has_intervals: bool,
}

impl AnonymousSet {
    pub fn name(&self) -> &'static str {
        if self.has_verdicts { MAP } else { SET }
    }

    pub fn storage(&self) -> Storage {
        match (self.has_intervals, self.key.len()) {
            (false, _) => Storage::Keys,
            (true, 1) => Storage::Bounds,
            (true, _) => Storage::Concatenations,
        }
    }
}

/// The anonymous sets of a table.
#[derive(Debug, Default)]
pub(crate) struct AnonymousSets {
    latest: u32,
    /// The names of the table's sets whose keys are intervals: numbers are looked up in the order of the network there.
    pub named_intervals: Vec<String>,
    /// Those of the rule that is being written.
    pub new: Vec<AnonymousSet>,
}

impl AnonymousSets {
    /// For rules that can look up these sets of intervals by name.
    pub fn beside(named_intervals: Vec<String>) -> Self {
        Self { named_intervals, ..Self::default() }
    }

    /// Adds a set with these elements.
    pub fn add_set(&mut self, key: Vec<&'static DataType>, list: &[Operand]) -> Result<&AnonymousSet> {
        let has_intervals = has_intervals(list.iter(), &key)?;
        let elements = list.iter().map(|operand| Element::of(operand, &key, has_intervals)).collect::<Result<_>>()?;
        self.add(key, elements, has_intervals, false)
    }

    /// Adds a map with these elements.
    pub fn add_map(&mut self, key: Vec<&'static DataType>, list: &[(Operand, Verdict)]) -> Result<&AnonymousSet> {
        let has_intervals = has_intervals(list.iter().map(|(operand, _)| operand), &key)?;
        let element = |(operand, verdict): &(Operand, Verdict)| {
            Ok(Element { data: Some(verdict.data()), ..Element::of(operand, &key, has_intervals)? })
        };
        let elements = list.iter().map(element).collect::<Result<_>>()?;
        self.add(key, elements, has_intervals, true)
    }

    fn add(
        &mut self,
        key: Vec<&'static DataType>,
        mut elements: Vec<Element>,
        has_intervals: bool,
        has_verdicts: bool,
    ) -> Result<&AnonymousSet> {
        if key.len() == 1 {
            sort_intervals(&mut elements)?;
        }
        self.latest += 1;
        self.new.push(AnonymousSet { id: self.latest, key, elements, has_verdicts, has_intervals });
        self.new.last().ok_or_else(|| crate::error::Error::InvalidArgument(String::new()))
    }
}

/// Whether one of the elements is an interval.
fn has_intervals<'a>(mut list: impl Iterator<Item = &'a Operand>, key: &[&DataType]) -> Result<bool> {
    list.try_fold(false, |has, operand| Ok(has || Element::of(operand, key, true)?.last.is_some()))
}
