//! A new rule in the form in which the kernel would list it, so that it can be compared with those that exist.

use crate::{
    error::Result,
    firewall::{
        expression::{Expression, action::counter::Counter, list},
        matching::{context::Context, lower::Lowering},
        set::{
            anonymous::{AnonymousSet, AnonymousSets},
            element::{INTERVAL_END, Storage, next},
            found::{Found as FoundSet, FoundElement},
        },
        statement::{Found, Statement, lift, lower},
        table::{SetFlag, Table},
        write::{key_length, named_intervals},
    },
    netlink::nfnetlink::writer::Writer,
    octets::Octets,
};

/// The sets of a table by name, without their elements.
pub(super) fn named_sets(table: &Table) -> Result<Found> {
    let found = table.sets.iter().map(|(name, set)| {
        let has_intervals = set.flags.contains(&SetFlag::Interval);
        let key_size = key_length(&set.key_types()?);
        Ok((name.clone(), FoundSet { is_anonymous: false, has_intervals, key_size, elements: Vec::new() }))
    });
    found.collect()
}

/// Returns a rule as `get` would. One that cannot be expressed stays as it is.
pub(super) fn as_listed(table: &Table, rule: &[Statement], named: &Found) -> Result<Vec<Statement>> {
    let mut sets = AnonymousSets::beside(named_intervals(table));
    let context = Context::new(table.family);
    let mut lowering = Lowering { context, expressions: Vec::new(), sets: &mut sets };
    for statement in rule {
        lower(statement, &mut lowering)?;
    }
    let mut expressions = lowering.expressions;
    if expressions.iter().any(|expression| matches!(expression, Expression::Unknown(_))) {
        return Ok(rule.to_vec());
    }
    let statements = if sets.new.is_empty() {
        lift(&expressions, table.family, named)
    } else {
        let mut found = named.clone();
        found.extend(sets.new.iter().map(|set| (unique_name(set.id), found_set(set))));
        for expression in &mut expressions {
            if let Expression::Lookup(lookup) = expression
                && let Some(id) = lookup.set_id
            {
                lookup.set = unique_name(id);
            }
        }
        lift(&expressions, table.family, &found)
    };
    let Some(mut statements) = statements else { return Ok(rule.to_vec()) };
    // The comment is listed as the last statement.
    statements.extend(rule.iter().filter(|statement| matches!(statement, Statement::Comment(_))).cloned());
    Ok(statements)
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

/// Returns an anonymous set as the kernel lists it.
fn found_set(set: &AnonymousSet) -> FoundSet {
    let storage = set.storage();
    let mut elements = Vec::with_capacity(set.elements.len());
    for element in &set.elements {
        let key_end = (storage == Storage::Concatenations).then(|| element.last().to_vec());
        let (key, data) = (element.key.clone(), element.data.clone());
        elements.push(FoundElement { key, key_end, data, ..FoundElement::default() });
        if storage == Storage::Bounds
            && let Some(after) = next(element.last())
        {
            elements.push(FoundElement { key: after, flags: INTERVAL_END, ..FoundElement::default() });
        }
    }
    FoundSet { is_anonymous: true, has_intervals: set.has_intervals, key_size: key_length(&set.key), elements }
}
