//! The events that a watcher has not read yet.

use std::{collections::HashMap, collections::VecDeque, sync::Arc};

use super::{
    event::{Event, EventKind},
    object::{Key, Object},
    part::WatchedPart,
};

/// How many events wait for a watcher. If there are more, it is told to resynchronize.
pub(super) const MOST_WAITING: usize = 8192;

/// A function that is called once when there is something to read.
pub(super) type Wake = Box<dyn FnOnce() + Send>;

/// What a watcher missed: each object that has changed since, as it was before.
pub(super) type Missed = HashMap<(WatchedPart, Key), Vec<Object>>;

/// The events of a watcher.
pub(super) struct Queue {
    pub parts: Vec<WatchedPart>,
    /// Whether the watcher is told first what exists.
    pub wants_existing: bool,
    events: VecDeque<Event>,
    /// The objects that existed when the watcher began are not counted: there are as many as the network has.
    limit: usize,
    /// `None` unless too many events have waited.
    missed: Option<Missed>,
    pub wake: Option<Wake>,
}

impl Queue {
    pub fn new(parts: Vec<WatchedPart>, wants_existing: bool) -> Self {
        let (events, limit) = (VecDeque::new(), MOST_WAITING);
        Self { parts, wants_existing, events, limit, missed: None, wake: None }
    }

    pub fn watches(&self, part: WatchedPart) -> bool {
        self.parts.contains(&part)
    }

    /// Whether this has events, or missed some.
    pub fn is_ready(&self) -> bool {
        self.missed.is_some() || !self.events.is_empty()
    }

    /// Whether the next event is not queued, because too many have waited.
    pub fn is_full(&self) -> bool {
        self.missed.is_some() || self.events.len() >= self.limit
    }

    /// Adds the objects that exist.
    pub fn start_with<'a>(&mut self, part: WatchedPart, texts: impl Iterator<Item = &'a Arc<str>>) {
        let before = self.events.len();
        self.events.extend(texts.map(|text| Event::Object { kind: EventKind::Existing, part, text: Arc::clone(text) }));
        self.limit += self.events.len() - before;
    }

    /// Adds an event about an object. `before` are the objects with this key before it.
    pub fn add(&mut self, event: Event, part: WatchedPart, key: Key, before: &[Object]) {
        if self.is_full() && self.missed.is_none() {
            self.missed = Some(Missed::new());
        }
        match &mut self.missed {
            Some(missed) => drop(missed.entry((part, key)).or_insert_with(|| before.to_vec())),
            None => self.events.push_back(event),
        }
    }

    /// Adds the event that notifications were lost.
    pub fn resync(&mut self) {
        if self.missed.is_none() {
            self.events.push_back(Event::Resync);
        }
    }

    /// Takes the next event from those that waited.
    pub fn take(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if self.events.is_empty() {
            self.limit = MOST_WAITING;
        }
        event
    }

    /// If the watcher has read all events and missed others, adds the event for that, and returns what it missed.
    pub fn catch_up(&mut self) -> Option<Missed> {
        if !self.events.is_empty() {
            return None;
        }
        let missed = self.missed.take()?;
        self.events.push_back(Event::Resync);
        Some(missed)
    }

    /// Adds a difference between what the watcher knew and what there is. There are at most as many as the network has objects.
    pub fn add_difference(&mut self, part: WatchedPart, kind: EventKind, text: Arc<str>) {
        self.events.push_back(Event::Object { kind, part, text });
        self.limit += 1;
    }
}
