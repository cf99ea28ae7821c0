//! What a notification reports.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// The object was added or changed.
    New,
    Removed,
}
