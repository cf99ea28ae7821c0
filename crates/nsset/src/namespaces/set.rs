//! A set of namespaces: at most one of each kind.

use std::{
    fmt,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use crate::{
    children::init::{Init, Stay},
    error::{Error, Result, SystemError, last_errno},
    kind::{Kind, Kinds},
    namespaces::namespace::Namespace,
};

/// At most one namespace of each kind, held open. A clone shares what it holds.
#[derive(Clone, Debug, Default)]
pub struct NamespaceSet {
    namespaces: [Option<Arc<Namespace>>; 8],
    /// Keeps the `pid` namespace usable, if this set, or one that it was made from, created it.
    init: Option<Arc<Init>>,
}

impl NamespaceSet {
    pub(crate) fn insert(&mut self, namespace: Namespace) {
        self.place(namespace.kind(), Some(Arc::new(namespace)));
    }

    pub(crate) fn share(&mut self, namespace: &Arc<Namespace>) {
        self.place(namespace.kind(), Some(Arc::clone(namespace)));
    }

    fn place(&mut self, kind: Kind, namespace: Option<Arc<Namespace>>) {
        if let Some(place) = self.namespaces.get_mut(kind.index()) {
            *place = namespace;
        }
    }

    pub(crate) fn keep_alive(&mut self, init: Init) {
        self.init = Some(Arc::new(init));
    }

    /// Held while a user has the set open; `None` if nsset did not start PID 1 of its pid namespace. That namespace
    /// ends when the last one is dropped.
    pub fn stay(&self) -> Option<Stay> {
        self.init.as_ref().map(Stay::new)
    }

    /// A set of one namespace.
    pub fn of(namespace: Namespace) -> Self {
        let mut set = Self::default();
        set.insert(namespace);
        set
    }

    pub fn kinds(&self) -> Kinds {
        self.iter().map(|namespace| namespace.kind()).collect()
    }

    /// The namespaces, in the order of their kinds.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Namespace>> {
        self.namespaces.iter().flatten()
    }

    pub fn find(&self, kind: Kind) -> Option<&Arc<Namespace>> {
        self.namespaces.get(kind.index()).and_then(Option::as_ref)
    }

    /// The namespace of this kind, or an error that names the kinds of the set.
    pub fn get(&self, kind: Kind) -> Result<&Arc<Namespace>> {
        self.find(kind).ok_or_else(|| Error::NotInSet { kind, has: self.kinds().to_string() })
    }

    /// A set of the same namespaces, of all kinds or of some. No descriptor is opened.
    pub fn narrow(&self, kinds: Kinds) -> Result<Self> {
        let mut set = Self::default();
        for kind in kinds.iter() {
            set.share(self.get(kind)?);
        }
        if kinds.contains(Kind::Pid) {
            set.init.clone_from(&self.init);
        }
        Ok(set)
    }

    /// The namespaces of these kinds that the set has.
    pub(crate) fn only(&self, kinds: Kinds) -> Self {
        let mut set = Self::default();
        self.iter().filter(|namespace| kinds.contains(namespace.kind())).for_each(|namespace| set.share(namespace));
        set
    }

    /// The namespaces of this set, and those of the other set of the kinds that this one lacks.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        if self.find(Kind::Pid).is_none() {
            self.init.clone_from(&other.init);
        }
        for (mine, theirs) in self.namespaces.iter_mut().zip(&other.namespaces) {
            if mine.is_none() {
                mine.clone_from(theirs);
            }
        }
        self
    }

    /// New close-on-exec descriptors for these kinds.
    pub fn fds(&self, kinds: Kinds) -> Result<Vec<(Kind, OwnedFd)>> {
        kinds
            .iter()
            .map(|kind| {
                let fd = self.get(kind)?.as_fd().try_clone_to_owned();
                Ok((
                    kind,
                    fd.map_err(|error| SystemError::new(last_errno(&error), "fcntl(F_DUPFD_CLOEXEC)").kind(kind))?,
                ))
            })
            .collect()
    }

    /// Whether both hold the same namespaces of these kinds.
    pub fn equals(&self, other: &Self, kinds: Kinds) -> bool {
        kinds.iter().all(|kind| match (self.find(kind), other.find(kind)) {
            (Some(mine), Some(theirs)) => mine.id() == theirs.id(),
            (None, None) => true,
            _ => false,
        })
    }
}

impl fmt::Display for NamespaceSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, namespace) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(formatter, "{separator}{namespace}")?;
        }
        Ok(())
    }
}
