//! Which rules of a chain stay: a longest sequence of equal rules in the same order.

use std::{collections::HashMap, hash::Hash};

/// Returns for each new item the position of the old one that stays as it, if any. Positions ascend. Of equal items, the first new
/// one is paired with the first old one, and so on.
pub(super) fn kept<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<Option<usize>> {
    let mut places: HashMap<&T, Vec<usize>> = HashMap::new();
    for (place, item) in old.iter().enumerate().rev() {
        places.entry(item).or_default().push(place);
    }
    let pairs: Vec<(usize, usize)> =
        new.iter().enumerate().filter_map(|(number, item)| Some((number, places.get_mut(item)?.pop()?))).collect();
    let mut kept = vec![None; new.len()];
    for pair in longest_ascending(&pairs) {
        if let Some(place) = kept.get_mut(pair.0) {
            *place = Some(pair.1);
        }
    }
    kept
}

/// Returns a longest subsequence whose second numbers ascend (patience sorting).
fn longest_ascending(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length, the index of the pair with the smallest end of a subsequence of that length.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    let second = |index: usize| pairs.get(index).map(|pair| pair.1);
    for (index, pair) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| second(*end) < Some(pair.1));
        previous.push(length.checked_sub(1).and_then(|before| ends.get(before)).copied());
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut sequence = Vec::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(index) = next {
        sequence.extend(pairs.get(index));
        next = previous.get(index).copied().flatten();
    }
    sequence.reverse();
    sequence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: &str, new: &str, expected: &[Option<usize>]) {
        let items = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(kept(&items(old), &items(new)), expected, "{old} → {new}");
    }

    #[test]
    fn as_many_stay_as_can() {
        check("abc", "abc", &[Some(0), Some(1), Some(2)]);
        check("abc", "axbc", &[Some(0), None, Some(1), Some(2)]);
        check("abcd", "bd", &[Some(1), Some(3)]);
        check("abcd", "dabc", &[None, Some(0), Some(1), Some(2)]);
        check("aab", "aaab", &[Some(0), Some(1), None, Some(2)]);
        check("", "ab", &[None, None]);
        check("ab", "", &[]);
    }
}
