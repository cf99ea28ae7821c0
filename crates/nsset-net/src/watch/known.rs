//! The known objects of a part, and what a notification or a list changes.

use std::{collections::HashMap, sync::Arc};

use super::{
    event::EventKind,
    object::{Key, Object},
    verb::Verb,
};

/// The objects of a part.
#[derive(Debug, Default)]
pub(super) struct Known {
    objects: HashMap<Key, Vec<Object>>,
}

/// What a notification means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The object is known like this.
    Nothing,
    Happened(EventKind),
    /// The notification does not say which of several routes it is about: only a list can.
    Unclear,
}

/// A difference between two lists.
pub(super) type Difference = (EventKind, Arc<str>);

impl Known {
    pub fn texts(&self) -> impl Iterator<Item = &Arc<str>> {
        self.objects.values().flatten().map(|object| &object.text)
    }

    pub fn get(&self, key: &Key) -> &[Object] {
        self.objects.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// Applies a notification. `replaces` says that it replaces an object with the same key.
    pub fn hear(&mut self, verb: Verb, object: Object, replaces: bool) -> Verdict {
        match verb {
            Verb::New => self.add(object, replaces),
            Verb::Removed => self.remove(&object),
        }
    }

    fn add(&mut self, object: Object, replaces: bool) -> Verdict {
        if object.key.of_tunnel().is_some_and(|key| self.objects.contains_key(&key)) {
            return Verdict::Nothing;
        }
        let replaces = replaces || object.key.is_unique();
        let others = self.objects.entry(object.key).or_default();
        if let Some(same) = others.iter_mut().find(|other| other.is_same(&object)) {
            *same = object;
            return Verdict::Nothing;
        }
        match others.as_mut_slice() {
            [] => {
                others.push(object);
                Verdict::Happened(EventKind::Add)
            }
            [one] if replaces => {
                *one = object;
                Verdict::Happened(EventKind::Change)
            }
            // A route to which the kernel has added a next hop is reported as a whole.
            _ if replaces || object.is_ambiguous => Verdict::Unclear,
            _ => {
                others.push(object);
                Verdict::Happened(EventKind::Add)
            }
        }
    }

    fn remove(&mut self, object: &Object) -> Verdict {
        let Some(others) = self.objects.get_mut(&object.key) else { return Verdict::Nothing };
        let position = if object.key.is_unique() { Some(0) } else { others.iter().position(|it| it.is_same(object)) };
        match position {
            Some(position) => {
                others.swap_remove(position);
                if others.is_empty() {
                    self.objects.remove(&object.key);
                }
                Verdict::Happened(EventKind::Remove)
            }
            None => Verdict::Unclear,
        }
    }

    /// Replaces the objects by those of a list. Passes on each key whose objects differ, with the previous objects and the
    /// differences.
    pub fn replace(&mut self, list: Vec<Object>, mut on_key: impl FnMut(Key, &[Object], Vec<Difference>)) {
        let mut objects: HashMap<Key, Vec<Object>> = HashMap::with_capacity(list.len());
        for object in list {
            objects.entry(object.key).or_default().push(object);
        }
        let now = |key: &Key| objects.get(key).map(Vec::as_slice).unwrap_or_default();
        for (key, before) in &self.objects {
            let differences = differences(before, now(key));
            if !differences.is_empty() {
                on_key(*key, before, differences);
            }
        }
        for (key, after) in &objects {
            if !self.objects.contains_key(key) {
                on_key(*key, &[], differences(&[], after));
            }
        }
        self.objects = objects;
    }
}

/// Returns the differences between objects with the same key.
pub(super) fn differences(before: &[Object], after: &[Object]) -> Vec<Difference> {
    let is_in = |list: &[Object], object: &Object| list.iter().any(|other| other.is_same(object));
    let mut gone = before.iter().filter(|object| !is_in(after, object));
    let mut differences = Vec::new();
    for object in after.iter().filter(|object| !is_in(before, object)) {
        let kind = if gone.next().is_some() { EventKind::Change } else { EventKind::Add };
        differences.push((kind, Arc::clone(&object.text)));
    }
    differences.extend(gone.map(|object| (EventKind::Remove, Arc::clone(&object.text))));
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(hop: u64, is_ambiguous: bool) -> Object {
        let destination = "10.0.0.0/8".parse().unwrap();
        let key = Key::Route { table: 254, destination, from: None, tos: None, metric: None };
        Object { key, text: hop.to_string().into(), digest: hop, is_ambiguous, connection: None }
    }

    fn link(digest: u64) -> Object {
        Object { key: Key::Link(7), text: digest.to_string().into(), digest, is_ambiguous: false, connection: None }
    }

    fn known(objects: Vec<Object>) -> Known {
        let mut known = Known::default();
        known.replace(objects, |_, _, _| {});
        known
    }

    #[test]
    fn a_link_is_added_changed_and_removed() {
        let mut known = Known::default();
        assert_eq!(known.hear(Verb::New, link(1), false), Verdict::Happened(EventKind::Add));
        assert_eq!(known.hear(Verb::New, link(1), false), Verdict::Nothing);
        assert_eq!(known.hear(Verb::New, link(2), false), Verdict::Happened(EventKind::Change));
        assert_eq!(known.hear(Verb::Removed, link(3), false), Verdict::Happened(EventKind::Remove));
        assert_eq!(known.hear(Verb::Removed, link(3), false), Verdict::Nothing);
        assert_eq!(known.texts().count(), 0);
    }

    #[test]
    fn routes_to_one_destination_are_told_apart_by_their_next_hops() {
        let mut known = Known::default();
        assert_eq!(known.hear(Verb::New, route(1, false), false), Verdict::Happened(EventKind::Add));
        assert_eq!(known.hear(Verb::New, route(2, false), false), Verdict::Happened(EventKind::Add));
        assert_eq!(known.hear(Verb::Removed, route(1, false), false), Verdict::Happened(EventKind::Remove));
        assert_eq!(known.hear(Verb::New, route(3, false), true), Verdict::Happened(EventKind::Change));
        assert_eq!(known.texts().map(|text| &**text).collect::<Vec<_>>(), ["3"]);
    }

    #[test]
    fn a_notification_that_does_not_say_which_route_it_means_is_unclear() {
        let two = || known(vec![route(1, false), route(2, false)]);
        assert_eq!(two().hear(Verb::New, route(3, false), true), Verdict::Unclear);
        assert_eq!(two().hear(Verb::New, route(3, true), false), Verdict::Unclear);
        assert_eq!(two().hear(Verb::Removed, route(3, false), false), Verdict::Unclear);
    }

    #[test]
    fn an_entry_of_a_vxlan_is_added_once_though_older_kernels_report_it_twice() {
        let entry = |is_of_tunnel| {
            let mac = "02:00:00:00:00:09".parse().unwrap();
            let key =
                Key::ForwardingEntry { owner: 7, is_of_bridge: false, mac, vlan: None, source_vni: None, is_of_tunnel };
            Object::new(key, is_of_tunnel.to_string(), is_of_tunnel.into())
        };
        let mut known = Known::default();
        assert_eq!(known.hear(Verb::New, entry(true), false), Verdict::Happened(EventKind::Add));
        assert_eq!(known.hear(Verb::New, entry(false), false), Verdict::Nothing);
        assert_eq!(known.hear(Verb::Removed, entry(true), false), Verdict::Happened(EventKind::Remove));
        assert_eq!(known.hear(Verb::Removed, entry(false), false), Verdict::Nothing);
        assert_eq!(known.hear(Verb::New, entry(false), false), Verdict::Happened(EventKind::Add));
    }

    #[test]
    fn lists_are_compared() {
        let mut known = known(vec![route(1, false), route(2, false), link(1)]);
        let mut found = Vec::new();
        known.replace(vec![route(2, false), route(3, false), route(4, false)], |_, before, differences| {
            found
                .push((before.len(), differences.into_iter().map(|(kind, text)| format!("{kind:?} {text}")).collect()));
        });
        found.sort();
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found, [(1, texts(&["Remove 1"])), (2, texts(&["Change 3", "Add 4"]))]);
        assert_eq!(known.texts().count(), 3);
    }
}
