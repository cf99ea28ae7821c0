//! A new rule in the form in which the kernel would list it, so that it can be compared with those that exist.

use crate::{
    error::Result,
    firewall::{
        expression::{Expression, action::counter::Counter, list},
        family::Family,
        matching::{context::Context, data_type::DataType, lower::Lowering},
        set::{
            anonymous::{AnonymousSet, AnonymousSets, NamedSets},
            element::{CATCH_ALL, INTERVAL_END, Storage, next},
            found::{Found as FoundSet, FoundElement},
            map_data::MapData,
        },
        statement::{Found, Statement, lift, lower},
        table::{SetFlag, Table},
        write::named_sets,
    },
    netlink::nfnetlink::writer::Writer,
    octets::Octets,
};

/// How the kernel would list the rules of a table.
pub(super) struct Listing {
    family: Family,
    named: NamedSets,
    /// The sets of the table by name, without their elements.
    found: Found,
}

impl Listing {
    pub fn of(table: &Table) -> Result<Self> {
        let found = table.sets.iter().map(|(name, set)| {
            let has_intervals = set.flags.contains(&SetFlag::Interval);
            let key_size = DataType::size_of(&set.key_types()?);
            let data_size = set.map_data()?.map_or(0, |data| data.size()) as usize;
            let (data_type, object_kind) = numbers(set.map_data()?.as_ref());
            let elements = Vec::new();
            let is_anonymous = false;
            let set = FoundSet { is_anonymous, has_intervals, key_size, data_size, data_type, object_kind, elements };
            Ok((name.clone(), set))
        });
        Ok(Self { family: table.family, named: named_sets(table)?, found: found.collect::<Result<_>>()? })
    }

    /// Returns a rule as `get` would. One that cannot be expressed stays as it is.
    pub fn as_listed(&self, rule: &[Statement]) -> Result<Vec<Statement>> {
        let mut sets = AnonymousSets::beside(&self.named);
        let context = Context::new(self.family);
        let mut lowering = Lowering { context, expressions: Vec::new(), sets: &mut sets };
        for statement in rule {
            lower(statement, &mut lowering)?;
        }
        let mut expressions = lowering.expressions;
        if expressions.iter().any(|expression| matches!(expression, Expression::Unknown(_))) {
            return Ok(rule.to_vec());
        }
        let statements = if sets.new.is_empty() {
            lift(&expressions, self.family, &self.found)
        } else {
            let mut found = self.found.clone();
            found.extend(sets.new.iter().map(|set| (unique_name(set.id), found_set(set))));
            for expression in &mut expressions {
                match expression {
                    Expression::Lookup(lookup) => {
                        lookup.set = lookup.set_id.map_or_else(|| lookup.set.clone(), unique_name);
                    }
                    Expression::Objref(objref) => {
                        objref.set = objref.set_id.map(unique_name).or_else(|| objref.set.clone());
                    }
                    _ => {}
                }
            }
            lift(&expressions, self.family, &found)
        };
        let Some(mut statements) = statements else { return Ok(rule.to_vec()) };
        // The comment is listed as the last statement.
        statements.extend(rule.iter().filter(|statement| matches!(statement, Statement::Comment(_))).cloned());
        Ok(statements)
    }
}

/// Returns the text by which rules are compared. What a rule has counted makes no difference.
pub(super) fn text(rule: &[Statement]) -> String {
    if !rule.iter().any(|statement| matches!(statement, Statement::Raw(_))) {
        return json(rule);
    }
    let rule: Vec<_> = rule.iter().map(uncounted).collect();
    json(&rule)
}

/// Rules are plain data, which can always be written.
fn json(rule: &[Statement]) -> String {
    serde_json::to_string(rule).unwrap_or_default()
}

/// Returns a raw statement with counters at 0.
fn uncounted(statement: &Statement) -> Statement {
    let Statement::Raw(octets) = statement else { return statement.clone() };
    let Ok(mut expressions) = list::read(&octets.0) else { return statement.clone() };
    for expression in &mut expressions {
        match expression {
            Expression::Counter(counter) => *counter = Counter::default(),
            Expression::Quota(quota) => quota.consumed = None,
            _ => {}
        }
    }
    let mut writer = Writer::default();
    list::write(&expressions, &mut writer);
    Statement::Raw(Octets(writer.bytes().to_vec()))
}

/// The kernel has a number in the name of each anonymous set.
fn unique_name(id: u32) -> String {
    format!("__set{id}")
}

/// Returns the number of the types of a map, or that of its kind of objects.
fn numbers(data: Option<&MapData>) -> (Option<u32>, Option<u32>) {
    match data {
        None => (None, None),
        Some(objects @ MapData::Objects(_)) => (None, Some(objects.number())),
        Some(data) => (Some(data.number()), None),
    }
}

/// Returns an anonymous set as the kernel lists it.
fn found_set(set: &AnonymousSet) -> FoundSet {
    let storage = set.storage();
    let mut elements = Vec::with_capacity(set.elements.len());
    for element in &set.elements {
        let key_end = (storage == Storage::Concatenations).then(|| element.last().to_vec());
        let (key, data, object) = (element.key.clone(), element.data.clone(), element.object.clone());
        let flags = u32::from(key.is_empty()) * CATCH_ALL;
        elements.push(FoundElement { key, key_end, flags, data, object, ..FoundElement::default() });
        if storage == Storage::Bounds
            && !element.key.is_empty()
            && let Some(after) = next(element.last())
        {
            elements.push(FoundElement { key: after, flags: INTERVAL_END, ..FoundElement::default() });
        }
    }
    let (data_type, object_kind) = numbers(set.data.as_ref());
    FoundSet {
        is_anonymous: true,
        has_intervals: set.has_intervals,
        key_size: DataType::size_of(&set.key),
        data_size: set.data.as_ref().map_or(0, MapData::size) as usize,
        data_type,
        object_kind,
        elements,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Not every kernel has `queue` and flow tables.
    #[test]
    fn rules_are_listed_as_they_are_given() {
        let table = Table::default();
        let listing = Listing::of(&table).unwrap();
        for text in [
            r#"[{ "queue": { "num": { "from": "numgen inc mod 4" }, "bypass": true } }]"#,
            r#"[{ "queue": { "num": { "oifname": { "map": [["eth0", 1], ["eth1", 2]] } } } }]"#,
            r#"[{ "queue": { "num": "0-3", "fanout": true } }, { "comment": "several" }]"#,
            r#"[{ "snat": { "to": { "ip saddr": { "map": [["10.0.0.4", ["192.0.2.2-192.0.2.4", "80-90"]]] } } } }]"#,
            r#"[{ "flow add": "@fast" }]"#,
            r#"[{ "set": { "meta secmark": "ssh" } }]"#,
        ] {
            let rule: Vec<Statement> = serde_json::from_str(text).unwrap();
            assert_eq!(listing.as_listed(&rule).unwrap(), rule, "{text}");
        }
    }
}
