//! Makes conditions shorter, so that the kernel has room for the programs of long filters.

use super::condition::Condition;

/// Returns a condition with the same meaning, in which what several parts have in common is asked once, and what is asked of the same
/// value follows each other.
pub fn simplify(condition: Condition) -> Condition {
    match condition {
        Condition::Is(_) => condition,
        Condition::Not(inner) => match simplify(*inner) {
            Condition::Not(inner) => *inner,
            inner => inner.not(),
        },
        Condition::All(parts) => all(parts),
        Condition::Any(parts) => any(parts),
    }
}

fn all(parts: Vec<Condition>) -> Condition {
    let mut simple = Vec::new();
    flatten(parts, &mut simple, &|part| match part {
        Condition::All(inner) => Ok(inner),
        other => Err(other),
    });
    let (refused, mut kept): (Vec<_>, Vec<_>) = simple.into_iter().map(simplify).partition(is_not);
    // None of them: not any of them.
    let refused: Vec<_> = refused.into_iter().map(|part| simplify(part.not())).collect();
    match refused.len() {
        0 => {}
        1 => kept.extend(refused.into_iter().map(Condition::not)),
        _ => kept.push(any(refused).not()),
    }
    alone(kept, Condition::All)
}

fn any(parts: Vec<Condition>) -> Condition {
    let mut simple = Vec::new();
    flatten(parts, &mut simple, &|part| match part {
        Condition::Any(inner) => Ok(inner),
        other => Err(other),
    });
    let mut groups: Vec<(Condition, Vec<Condition>)> = Vec::new();
    for part in simple {
        let (first, rest) = split(simplify(part));
        match groups.iter_mut().find(|(known, _)| *known == first) {
            Some((_, rests)) => rests.push(rest),
            None => groups.push((first, vec![rest])),
        }
    }
    let mut joined: Vec<_> = groups.into_iter().map(|(first, rests)| join(first, rests)).collect();
    by_value(&mut joined);
    alone(joined, Condition::Any)
}

/// Splits the first part from a condition whose parts all have to be true.
fn split(condition: Condition) -> (Condition, Condition) {
    match condition {
        Condition::All(mut parts) if !parts.is_empty() => {
            let first = parts.remove(0);
            (first, alone(parts, Condition::All))
        }
        other => (other, Condition::All(vec![])),
    }
}

fn join(first: Condition, mut rests: Vec<Condition>) -> Condition {
    let always = Condition::All(vec![]);
    if rests.contains(&always) {
        return first;
    }
    let rest = if rests.len() == 1 { rests.remove(0) } else { any(rests) };
    match rest {
        Condition::All(mut parts) => {
            parts.insert(0, first);
            Condition::All(parts)
        }
        other => Condition::All(vec![first, other]),
    }
}

/// Moves conditions about one value behind the first about that value.
fn by_value(parts: &mut [Condition]) {
    let mut values = Vec::new();
    for value in parts.iter().map(Condition::value) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    parts.sort_by_cached_key(|part| {
        let value = part.value();
        values.iter().position(|known| *known == value)
    });
}

fn flatten(
    parts: Vec<Condition>,
    into: &mut Vec<Condition>,
    open: &impl Fn(Condition) -> Result<Vec<Condition>, Condition>,
) {
    for part in parts {
        match open(part) {
            Ok(inner) => flatten(inner, into, open),
            Err(other) => into.push(other),
        }
    }
}

/// A condition of one part is that part.
fn alone(mut parts: Vec<Condition>, of: impl Fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            of(parts)
        }
        None => of(parts),
    }
}

const fn is_not(condition: &Condition) -> bool {
    matches!(condition, Condition::Not(_))
}
