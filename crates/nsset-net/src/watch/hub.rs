//! The watchers of a network, and what is known about the parts that they watch.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    mem,
    sync::Arc,
};

use netlink_packet_core::NLM_F_REPLACE;

use super::{
    event::{Event, EventKind},
    firewall::{self, Notice},
    known::{Known, Verdict, differences},
    object::{Key, Object},
    part::WatchedPart,
    queue::{Queue, Wake},
    unannounced::Unannounced,
    verb::Verb,
};
use crate::{error::Error, firewall::message::SUBSYSTEM, netlink::answer::Message, netlink::attributes::Malformed};

/// The key of events about generations, which no list has.
const GENERATION: Key = Key::Firewall(0);

/// The most bytes of a batch, approximately.
const BATCH: usize = 256 * 1024;

/// The state of all watchers of a network.
#[derive(Default)]
pub(super) struct Hub {
    parts: BTreeMap<WatchedPart, PartState>,
    queues: BTreeMap<u64, Queue>,
    latest: u64,
    /// When parts have to be listed, because the kernel does not report all of their changes.
    pub unannounced: Unannounced,
    /// The functions to call after the lock is released.
    wakes: Vec<Wake>,
    /// Set when there are no events any more.
    end: Option<Result<(), Arc<Error>>>,
}

#[derive(Default)]
struct PartState {
    known: Known,
    phase: Phase,
    must_list: bool,
    /// Of the packet filter: what has changed since the last list, until all that happens is known.
    touched: Touched,
    /// Connections that were reported before the first list: only that has what their notifications left out.
    early: Vec<(EventKind, Object)>,
}

/// Objects of which notifications say that they have changed.
#[derive(Default)]
struct Touched {
    new: HashSet<Key>,
    removed: HashSet<Key>,
}

/// How much is known about a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Nothing yet: the first list has not been received.
    #[default]
    Listing,
    /// The first list may already contain what unread notifications report.
    Fresh,
    Steady,
}

/// The outcome of a read.
#[derive(Debug)]
pub(super) enum Batch {
    /// The text of a JSON array of events.
    Events(String),
    /// There is nothing to read yet.
    Empty,
    End(Result<(), Arc<Error>>),
}

impl Hub {
    /// Adds a watcher, and returns its number.
    pub fn add(&mut self, parts: &[WatchedPart], wants_existing: bool) -> u64 {
        let mut queue = Queue::new(parts.to_vec(), wants_existing);
        for part in parts {
            let state =
                self.parts.entry(*part).or_insert_with(|| PartState { must_list: true, ..PartState::default() });
            if wants_existing && state.phase != Phase::Listing {
                queue.start_with(*part, state.known.texts());
            }
        }
        self.latest += 1;
        self.queues.insert(self.latest, queue);
        self.latest
    }

    /// Removes a watcher, and what only it needed.
    pub fn remove(&mut self, number: u64) {
        self.wakes.extend(self.queues.remove(&number).and_then(|queue| queue.wake));
        self.parts.retain(|part, _| self.queues.values().any(|queue| queue.watches(*part)));
    }

    pub fn has_watchers(&self) -> bool {
        !self.queues.is_empty()
    }

    /// The parts that are watched.
    pub fn parts(&self) -> impl Iterator<Item = WatchedPart> {
        self.parts.keys().copied()
    }

    /// Returns a part that has to be listed, if any.
    pub fn part_to_list(&mut self) -> Option<WatchedPart> {
        for part in self.unannounced.take_due() {
            self.must_list(part);
        }
        let (part, state) = self.parts.iter_mut().find(|(_, state)| state.must_list)?;
        state.must_list = false;
        Some(*part)
    }

    /// Lists a part again, if it is watched.
    pub fn must_list(&mut self, part: WatchedPart) {
        if let Some(state) = self.parts.get_mut(&part) {
            state.must_list = true;
        }
    }

    /// Applies a notification.
    pub fn hear(&mut self, message: &Message<'_>) -> Result<(), Malformed> {
        self.unannounced.hear(message);
        if message.kind >> 8 == SUBSYSTEM {
            return self.hear_firewall(message);
        }
        let Some((part, verb)) = WatchedPart::of_message(message) else { return Ok(()) };
        if !self.parts.contains_key(&part) {
            return Ok(());
        }
        for object in part.read(message.body)? {
            self.hear_object(part, verb, object, message)?;
        }
        Ok(())
    }

    fn hear_object(
        &mut self,
        part: WatchedPart,
        verb: Verb,
        object: Object,
        message: &Message<'_>,
    ) -> Result<(), Malformed> {
        let Some(state) = self.parts.get_mut(&part) else { return Ok(()) };
        let object = match state.known.get(&object.key).first() {
            Some(before) => object.completed_by(before, verb)?,
            None => object,
        };
        let replaces = message.flags & NLM_F_REPLACE != 0;
        let key = object.key;
        let text = Arc::clone(&object.text);
        let before: Vec<Object> =
            if self.queues.values().any(Queue::is_full) { state.known.get(&key).to_vec() } else { Vec::new() };
        let is_sure = state.phase == Phase::Steady;
        let guess = match verb {
            Verb::Removed => EventKind::Remove,
            Verb::New if part.seems_new(message) => EventKind::Add,
            Verb::New => EventKind::Change,
        };
        if state.phase == Phase::Listing && object.connection.is_some() {
            state.early.push((guess, object));
            return Ok(());
        }
        let verdict = match state.phase {
            Phase::Listing => Verdict::Nothing,
            _ => state.known.hear(verb, object, replaces),
        };
        if verdict == Verdict::Unclear {
            state.must_list = true;
        }
        for queue in self.queues.values_mut().filter(|queue| queue.watches(part)) {
            let kind = match verdict {
                _ if !is_sure && !queue.wants_existing => guess,
                Verdict::Happened(kind) => kind,
                Verdict::Nothing | Verdict::Unclear => continue,
            };
            queue.add(Event::Object { kind, part, text: Arc::clone(&text) }, part, key, &before);
        }
        Ok(())
    }

    /// Applies a notification of the packet filter, which is listed again then.
    fn hear_firewall(&mut self, message: &Message<'_>) -> Result<(), Malformed> {
        let part = WatchedPart::Firewall;
        let Some(state) = self.parts.get_mut(&part) else { return Ok(()) };
        state.must_list = true;
        let is_steady = state.phase == Phase::Steady;
        match firewall::notice(message)? {
            Notice::Generation(text) => {
                for queue in self.queues.values_mut().filter(|queue| queue.watches(part)) {
                    let text = Arc::from(text.as_str());
                    queue.add(Event::Object { kind: EventKind::Change, part, text }, part, GENERATION, &[]);
                }
            }
            Notice::New(key) if !is_steady => {
                state.touched.new.insert(key);
            }
            Notice::Removed(key) if !is_steady => {
                state.touched.removed.insert(key);
            }
            Notice::New(_) | Notice::Removed(_) | Notice::Other => {}
        }
        Ok(())
    }

    /// Applies a list.
    pub fn listed(&mut self, part: WatchedPart, list: Vec<Object>) {
        let Some(state) = self.parts.get_mut(&part) else { return };
        if state.phase == Phase::Listing {
            state.phase = Phase::Fresh;
            state.known.replace(list, |_, _, _| {});
            for queue in self.queues.values_mut().filter(|queue| queue.wants_existing && queue.watches(part)) {
                queue.start_with(part, state.known.texts());
            }
            self.tell_early(part);
            self.tell_touched(part);
            return self.wake();
        }
        let mut watching: Vec<_> = self.queues.values_mut().filter(|queue| queue.watches(part)).collect();
        state.known.replace(list, |key, before, differences| {
            for (kind, text) in differences {
                for queue in &mut watching {
                    queue.add(Event::Object { kind, part, text: Arc::clone(&text) }, part, key, before);
                }
            }
        });
        self.tell_touched(part);
        self.wake();
    }

    /// Tells watchers which connections were reported before the first list, unless the list is what they are told.
    fn tell_early(&mut self, part: WatchedPart) {
        let Some(state) = self.parts.get_mut(&part) else { return };
        let early = mem::take(&mut state.early);
        let complete = |object: Object, other: Option<&Object>| {
            other.and_then(|other| object.clone().completed_by(other, Verb::New).ok()).unwrap_or(object)
        };
        // One that has ended is not in the list, but a later notification can have what an earlier one left out.
        let mut later: HashMap<Key, Object> = HashMap::new();
        for (_, object) in early.iter().rev() {
            let whole = complete(object.clone(), later.get(&object.key));
            later.insert(object.key, whole);
        }
        let mut latest: HashMap<Key, Object> = HashMap::new();
        for (kind, object) in early {
            let key = object.key;
            let known = state.known.get(&key).first();
            let whole = complete(object, latest.get(&key).or(known).or_else(|| later.get(&key)));
            for queue in self.queues.values_mut().filter(|queue| queue.watches(part) && !queue.wants_existing) {
                queue.add(Event::Object { kind, part, text: Arc::clone(&whole.text) }, part, key, &[]);
            }
            latest.insert(key, whole);
        }
    }

    /// Tells watchers what has changed before the first list, unless the list is what they are told.
    fn tell_touched(&mut self, part: WatchedPart) {
        let Some(state) = self.parts.get_mut(&part) else { return };
        let Touched { new, removed } = mem::take(&mut state.touched);
        let told = self.queues.values_mut().filter(|queue| queue.watches(part) && !queue.wants_existing);
        let has_lost = removed.iter().any(|key| state.known.get(key).is_empty());
        for queue in told {
            if has_lost {
                queue.resync();
            }
            for key in &new {
                for object in state.known.get(key) {
                    let text = Arc::clone(&object.text);
                    queue.add(Event::Object { kind: EventKind::Add, part, text }, part, *key, &[]);
                }
            }
        }
    }

    /// Notes that all notifications have been read that had arrived.
    pub fn drained(&mut self) {
        for state in self.parts.values_mut().filter(|state| state.phase == Phase::Fresh) {
            state.phase = Phase::Steady;
        }
        self.wake();
    }

    /// Notes that notifications were lost.
    pub fn lost(&mut self) {
        for state in self.parts.values_mut() {
            state.must_list = true;
        }
        for queue in self.queues.values_mut() {
            queue.resync();
            // What was lost before the first list cannot be compared: the watcher is told what exists.
            let is_new = |part| self.parts.get(part).is_some_and(|state| state.phase == Phase::Listing);
            queue.wants_existing |= queue.parts.iter().any(is_new);
        }
        self.wake();
    }

    /// Takes the events that a watcher has not read yet.
    pub fn take(&mut self, number: u64) -> Batch {
        let Some(queue) = self.queues.get_mut(&number) else { return Batch::End(Ok(())) };
        let mut text = String::from("[");
        loop {
            if let Some(missed) = queue.catch_up() {
                for ((part, key), before) in missed {
                    let now = self.parts.get(&part).map(|state| state.known.get(&key)).unwrap_or_default();
                    for (kind, text) in differences(&before, now) {
                        queue.add_difference(part, kind, text);
                    }
                }
            }
            let Some(event) = queue.take() else { break };
            if text.len() > 1 {
                text.push(',');
            }
            event.write(&mut text);
            if text.len() >= BATCH {
                break;
            }
        }
        if text.len() > 1 {
            text.push(']');
            return Batch::Events(text);
        }
        self.end.clone().map_or(Batch::Empty, Batch::End)
    }

    /// Calls a function once when the watcher has something to read.
    pub fn when_ready(&mut self, number: u64, wake: Wake) {
        let has_end = self.end.is_some();
        match self.queues.get_mut(&number) {
            Some(queue) if !has_end && !queue.is_ready() => queue.wake = Some(wake),
            _ => self.wakes.push(wake),
        }
    }

    /// Ends all watchers. They can still read what is queued.
    pub fn end(&mut self, outcome: Result<(), Error>) {
        self.end.get_or_insert(outcome.map_err(Arc::new));
        self.wakes.extend(self.queues.values_mut().filter_map(|queue| queue.wake.take()));
    }

    /// Takes the functions to call. The lock must not be held then.
    pub fn take_wakes(&mut self) -> Vec<Wake> {
        mem::take(&mut self.wakes)
    }

    /// Wakes the watchers that have something to read.
    pub fn wake(&mut self) {
        let ready = self.queues.values_mut().filter(|queue| queue.is_ready());
        self.wakes.extend(ready.filter_map(|queue| queue.wake.take()));
    }
}
