//! The events that a watcher receives.

use std::sync::Arc;

use super::part::WatchedPart;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventKind {
    Existing,
    Add,
    Change,
    Remove,
}

impl EventKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Existing => "existing",
            Self::Add => "add",
            Self::Change => "change",
            Self::Remove => "remove",
        }
    }
}

/// An event.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Object {
        kind: EventKind,
        part: WatchedPart,
        /// The object as JSON, which watchers share.
        text: Arc<str>,
    },
    /// Notifications were lost. The differences follow.
    Resync,
}

impl Event {
    /// Appends the event as JSON.
    pub fn write(&self, to: &mut String) {
        let Self::Object { kind, part, text } = self else { return to.push_str(r#"{"type":"resync"}"#) };
        for piece in [r#"{"type":""#, kind.name(), r#"","part":""#, part.name(), r#"","value":"#, text, "}"] {
            to.push_str(piece);
        }
    }
}
