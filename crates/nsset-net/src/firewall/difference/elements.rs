//! Which elements of a set are deleted and added.

use std::collections::HashMap;

use crate::{
    error::Result,
    firewall::{
        set::element::Element,
        table::{Set, SetFlag},
    },
};

/// The elements of a set that differ.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ElementChanges {
    pub deleted: Vec<Element>,
    pub added: Vec<Element>,
}

/// Compares the elements of a set. Those that packets may have added, because the set is dynamic, are not deleted.
pub(super) fn changes(before: &Set, after: &Set) -> Result<ElementChanges> {
    let (old, new) = (before.elements(&before.elements)?, after.elements(&after.elements)?);
    let is_dynamic = after.flags.contains(&SetFlag::Dynamic);
    let key = |element: &Element| (element.key.clone(), element.last().to_vec());
    let mut wanted: HashMap<_, _> = new.iter().map(|element| (key(element), element)).collect();
    let mut changes = ElementChanges::default();
    for element in old {
        match wanted.get(&key(&element)) {
            Some(wanted_one) if is_same(&element, wanted_one, after.timeout) => {
                wanted.remove(&key(&element));
            }
            None if is_dynamic => {}
            _ => changes.deleted.push(element),
        }
    }
    changes.added = new.iter().filter(|element| wanted.contains_key(&key(element))).cloned().collect();
    Ok(changes)
}

/// Whether an element is as wanted. How long it still stays does not matter.
fn is_same(element: &Element, wanted: &Element, default_timeout: Option<u64>) -> bool {
    let timeout = |element: &Element| element.timeout.or(default_timeout);
    element.data == wanted.data
        && element.object == wanted.object
        && element.own == wanted.own
        && element.comment == wanted.comment
        && timeout(element) == timeout(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firewall::{
        matching::operand::Operand,
        table::{OneOrMore, SetElement},
    };

    fn ports(flags: &[SetFlag], elements: &[u64]) -> Set {
        Set {
            key: OneOrMore::One("inet_service".into()),
            data: None,
            flags: flags.to_vec(),
            timeout: None,
            size: None,
            own: Vec::new(),
            comment: None,
            elements: elements.iter().map(|port| SetElement::Key(Operand::Number(*port))).collect(),
        }
    }

    fn keys(elements: &[Element]) -> Vec<&[u8]> {
        elements.iter().map(|element| element.key.as_slice()).collect()
    }

    #[test]
    fn equal_elements_stay() {
        let changes = changes(&ports(&[], &[22, 80]), &ports(&[], &[80, 443])).unwrap();
        assert_eq!(keys(&changes.deleted), [&[0, 22]]);
        assert_eq!(keys(&changes.added), [&[1, 187]]);
    }

    #[test]
    fn elements_of_a_dynamic_set_are_not_deleted() {
        let dynamic = [SetFlag::Dynamic];
        let changes = changes(&ports(&dynamic, &[22, 80]), &ports(&dynamic, &[80, 443])).unwrap();
        assert_eq!(keys(&changes.deleted), [] as [&[u8]; 0]);
        assert_eq!(keys(&changes.added), [&[1, 187]]);
    }
}
