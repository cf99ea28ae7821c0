//! What of a table stays.

use std::collections::HashMap;

use super::{existing::Existing, reference::Gone};
use crate::{
    error::Result,
    firewall::{
        matching::operand::Operand,
        set::map_data::MapData,
        table::{Chain, DetailedElement, MapTypes, OneOrMore, Set, SetElement, SetFlag, Table},
        write::hook_of,
    },
};

/// Returns what is in the table now, and does not stay.
pub(super) fn gone(existing: &Existing, table: &Table) -> Result<Gone> {
    let mut gone = Gone::default();
    let before = &existing.table;
    let wanted: HashMap<_, _> = table.objects().map(|(name, object)| ((object.kind(), name), object)).collect();
    for (name, object) in before.objects() {
        if wanted.get(&(object.kind(), name)) != Some(&object) {
            gone.objects.insert(name.clone());
        }
    }
    for (name, chain) in &before.chains {
        let stays = match find(&table.chains, name) {
            Some(new) => is_same_chain(existing, chain, table, new)?,
            None => false,
        };
        if !stays {
            gone.chains.insert(name.clone());
        }
    }
    for (name, set) in &before.sets {
        let stays = find(&table.sets, name).is_some_and(|new| is_same_set(set, new)) && !leads_to(set, &gone);
        if !stays {
            gone.sets.insert(name.clone());
        }
    }
    Ok(gone)
}

pub(super) fn find<'a, T>(list: &'a [(String, T)], name: &str) -> Option<&'a T> {
    list.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// Whether a chain gets the same packets. Its policy can be changed.
fn is_same_chain(existing: &Existing, before: &Chain, table: &Table, after: &Chain) -> Result<bool> {
    let devices = |chain: &Chain| {
        let mut devices = chain.devices.clone();
        devices.sort();
        devices
    };
    let kind = |chain: &Chain| chain.hook.as_ref().map(|_| chain.kind.clone().unwrap_or_else(|| "filter".into()));
    Ok(before.comment == after.comment
        && hook_of(&existing.table, before)? == hook_of(table, after)?
        && kind(before) == kind(after)
        && devices(before) == devices(after))
}

/// Whether a set stores the same keys in the same way. Its elements can be changed, unless it is constant.
fn is_same_set(before: &Set, after: &Set) -> bool {
    let types = |types: &OneOrMore| match types {
        OneOrMore::One(one) => vec![one.clone()],
        OneOrMore::More(more) => more.clone(),
    };
    let data = |set: &Set| {
        set.data.as_ref().map(|data| match data {
            MapTypes::Values(values) => (types(values), false),
            MapTypes::Intervals { interval } => (types(interval), true),
        })
    };
    let has = |set: &Set, flag| set.flags.contains(&flag);
    let flags = [SetFlag::Constant, SetFlag::Dynamic, SetFlag::Interval, SetFlag::Timeout];
    types(&before.key) == types(&after.key)
        && data(before) == data(after)
        && flags.into_iter().all(|flag| has(before, flag) == has(after, flag))
        && before.timeout == after.timeout
        && before.size == after.size
        && before.own == after.own
        && before.comment == after.comment
        && (!has(before, SetFlag::Constant) || before.elements == after.elements)
}

fn has_objects(map: &Set) -> bool {
    matches!(map.map_data(), Ok(Some(MapData::Objects(_))))
}

/// Whether an element of a map leads to a chain or an object that does not stay.
fn leads_to(map: &Set, gone: &Gone) -> bool {
    map.elements.iter().any(|element| match element {
        SetElement::Detailed(detailed) => {
            let DetailedElement { verdict, value, .. } = detailed.as_ref();
            let is_object =
                matches!(value, Some(Operand::Text(name)) if has_objects(map) && gone.objects.contains(name));
            is_object || verdict.as_ref().is_some_and(|verdict| gone.is_target_of(verdict))
        }
        SetElement::Key(_) => false,
    })
}
