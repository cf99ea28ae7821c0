//! Sets and maps without a name, which belong to one rule.

use std::collections::HashMap;

use super::{
    element::{Element, Storage},
    map_data::MapData,
    order::sort_intervals,
};
use crate::{
    error::{Error, Result},
    firewall::{
        matching::{data_type::DataType, operand::Operand, verdict::Verdict},
        object::ObjectKind,
    },
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
    /// What a map has for its keys.
    pub data: Option<MapData>,
    pub has_intervals: bool,
}

impl AnonymousSet {
    pub fn name(&self) -> &'static str {
        if self.data.is_some() { MAP } else { SET }
    }

    pub fn storage(&self) -> Storage {
        match (self.has_intervals, self.key.len()) {
            (false, _) => Storage::Keys,
            (true, 1) => Storage::Bounds,
            (true, _) => Storage::Concatenations,
        }
    }
}

/// What rules have to know about the sets of their table.
#[derive(Debug, Default)]
pub(crate) struct NamedSets(HashMap<String, NamedSet>);

#[derive(Debug)]
struct NamedSet {
    /// Whether keys are intervals: numbers are looked up in the order of the network there.
    has_intervals: bool,
    /// What a map has for its keys.
    data: Option<MapData>,
}

impl NamedSets {
    pub fn add(&mut self, name: &str, has_intervals: bool, data: Option<MapData>) {
        self.0.insert(name.to_owned(), NamedSet { has_intervals, data });
    }

    pub fn has_intervals(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|set| set.has_intervals)
    }

    /// Returns what a map to values has.
    pub fn values(&self, name: &str) -> Result<&MapData> {
        match self.0.get(name).and_then(|set| set.data.as_ref()) {
            Some(data @ (MapData::Values(_) | MapData::Intervals(_))) => Ok(data),
            _ => Err(Error::InvalidArgument(format!("'@{name}' is not a map to values"))),
        }
    }
}

/// The anonymous sets of a table.
#[derive(Debug)]
pub(crate) struct AnonymousSets<'a> {
    latest: u32,
    /// The other sets of the table.
    pub named: &'a NamedSets,
    /// Those of the rule that is being written.
    pub new: Vec<AnonymousSet>,
}

impl<'a> AnonymousSets<'a> {
    /// For rules that can look up these sets by name.
    pub fn beside(named: &'a NamedSets) -> Self {
        Self { latest: 0, named, new: Vec::new() }
    }

    /// Adds a set with these elements.
    pub fn add_set(&mut self, key: Vec<&'static DataType>, list: &[Operand]) -> Result<&AnonymousSet> {
        let has_intervals = has_intervals(list.iter(), &key)?;
        let elements = list.iter().map(|operand| Element::of(operand, &key, has_intervals)).collect::<Result<_>>()?;
        self.add(key, elements, has_intervals, None)
    }

    /// Adds a map to values.
    pub fn add_values(
        &mut self,
        key: Vec<&'static DataType>,
        list: &[(Operand, Operand)],
        values: &MapData,
    ) -> Result<&AnonymousSet> {
        let has_intervals = has_intervals(list.iter().map(|(operand, _)| operand), &key)?;
        let element = |(operand, value): &(Operand, Operand)| {
            Ok(Element { data: values.value(value)?, ..Element::of(operand, &key, has_intervals)? })
        };
        let elements = list.iter().map(element).collect::<Result<_>>()?;
        self.add(key, elements, has_intervals, Some(values.clone()))
    }

    /// Adds a map to objects of the table.
    pub fn add_objects(
        &mut self,
        key: Vec<&'static DataType>,
        list: &[(Operand, Operand)],
        kind: ObjectKind,
    ) -> Result<&AnonymousSet> {
        let has_intervals = has_intervals(list.iter().map(|(operand, _)| operand), &key)?;
        let element = |(operand, object): &(Operand, Operand)| {
            let Operand::Text(object) = object else {
                return Err(Error::InvalidArgument(format!("{object} is not the name of a {}", kind.name())));
            };
            Ok(Element { object: Some(object.clone()), ..Element::of(operand, &key, has_intervals)? })
        };
        let elements = list.iter().map(element).collect::<Result<_>>()?;
        self.add(key, elements, has_intervals, Some(MapData::Objects(kind)))
    }

    /// Adds a map to verdicts.
    pub fn add_map(&mut self, key: Vec<&'static DataType>, list: &[(Operand, Verdict)]) -> Result<&AnonymousSet> {
        let has_intervals = has_intervals(list.iter().map(|(operand, _)| operand), &key)?;
        let element = |(operand, verdict): &(Operand, Verdict)| {
            Ok(Element { data: Some(verdict.data()), ..Element::of(operand, &key, has_intervals)? })
        };
        let elements = list.iter().map(element).collect::<Result<_>>()?;
        self.add(key, elements, has_intervals, Some(MapData::Verdicts))
    }

    fn add(
        &mut self,
        key: Vec<&'static DataType>,
        mut elements: Vec<Element>,
        has_intervals: bool,
        data: Option<MapData>,
    ) -> Result<&AnonymousSet> {
        if let [one] = key.as_slice() {
            sort_intervals(&mut elements, one, has_intervals)?;
        }
        self.latest += 1;
        self.new.push(AnonymousSet { id: self.latest, key, elements, data, has_intervals });
        self.new.last().ok_or_else(|| Error::InvalidArgument(String::new()))
    }
}

/// Whether one of the elements is an interval.
fn has_intervals<'a>(mut list: impl Iterator<Item = &'a Operand>, key: &[&DataType]) -> Result<bool> {
    list.try_fold(false, |has, operand| Ok(has || Element::of(operand, key, true)?.last.is_some()))
}
