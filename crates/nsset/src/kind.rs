//! The eight kinds of namespace, and sets of kinds.

use std::{
    fmt,
    ops::{Index, IndexMut},
};

use serde::Serialize;

/// A kind of namespace, in the order of `/proc/PID/ns` and of the public API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Kind {
    Cgroup,
    Ipc,
    Mnt,
    Net,
    Pid,
    Time,
    User,
    Uts,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Self; 8] =
        [Self::Cgroup, Self::Ipc, Self::Mnt, Self::Net, Self::Pid, Self::Time, Self::User, Self::Uts];

    /// The name, as a file of `/proc/PID/ns` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::Ipc => "ipc",
            Self::Mnt => "mnt",
            Self::Net => "net",
            Self::Pid => "pid",
            Self::Time => "time",
            Self::User => "user",
            Self::Uts => "uts",
        }
    }

    /// The file of `/proc/PID/ns` for the namespace that unshare(2) made: for `pid` and `time` only children are in it.
    pub const fn unshared_name(self) -> &'static str {
        match self {
            Self::Pid => "pid_for_children",
            Self::Time => "time_for_children",
            other => other.name(),
        }
    }

    /// The `CLONE_NEW*` flag, as setns(2) and unshare(2) take it.
    pub const fn flag(self) -> u32 {
        match self {
            Self::Cgroup => 0x0200_0000,
            Self::Ipc => 0x0800_0000,
            Self::Mnt => 0x0002_0000,
            Self::Net => 0x4000_0000,
            Self::Pid => 0x2000_0000,
            Self::Time => 0x0000_0080,
            Self::User => 0x1000_0000,
            Self::Uts => 0x0400_0000,
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind with this flag.
    pub fn from_flag(flag: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.flag() == flag)
    }

    /// The index of the kind in [`Kind::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A value for each kind.
#[derive(Clone, Debug, Default)]
pub struct ByKind<T>([T; Kind::ALL.len()]);

impl<T> ByKind<T> {
    pub fn new(value: impl FnMut(Kind) -> T) -> Self {
        Self(Kind::ALL.map(value))
    }

    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }
}

impl<T> Index<Kind> for ByKind<T> {
    type Output = T;

    #[expect(clippy::indexing_slicing, reason = "there are as many values as kinds")]
    fn index(&self, kind: Kind) -> &T {
        &self.0[kind.index()]
    }
}

impl<T> IndexMut<Kind> for ByKind<T> {
    #[expect(clippy::indexing_slicing, reason = "there are as many values as kinds")]
    fn index_mut(&mut self, kind: Kind) -> &mut T {
        &mut self.0[kind.index()]
    }
}

/// A set of kinds, as a mask of their flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kinds(u32);

impl Kinds {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(0x7E02_0080);

    /// The kinds of which a thread of a running Node.js process can have its own namespace, and which it can enter and
    /// leave again.
    pub const OF_THREADS: Self = Self::NONE.with(Kind::Cgroup).with(Kind::Ipc).with(Kind::Net).with(Kind::Uts);

    /// The set with these flags, or `None` if a bit is not the flag of a kind.
    pub const fn from_flags(flags: u32) -> Option<Self> {
        if flags & !Self::ALL.0 == 0 { Some(Self(flags)) } else { None }
    }

    pub const fn flags(self) -> u32 {
        self.0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & kind.flag() != 0
    }

    /// Whether the others contain all of these.
    pub const fn is_within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | kind.flag())
    }

    #[must_use]
    pub const fn without(self, kind: Kind) -> Self {
        Self(self.0 & !kind.flag())
    }

    /// The union of both.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// This kind, if the set contains it, and no other.
    #[must_use]
    pub const fn only(self, kind: Kind) -> Self {
        Self(self.0 & kind.flag())
    }

    /// The kinds, in order.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, kind) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { "+" };
            write!(formatter, "{separator}{kind}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_the_kernels() {
        assert_eq!(Kind::ALL.into_iter().collect::<Kinds>(), Kinds::ALL);
        assert_eq!(Kind::Net.flag(), libc::CLONE_NEWNET as u32);
        assert_eq!(Kind::Mnt.flag(), libc::CLONE_NEWNS as u32);
        for kind in Kind::ALL {
            assert_eq!(Kind::from_flag(kind.flag()), Some(kind));
            assert_eq!(Kind::ALL[kind.index()], kind);
        }
    }

    #[test]
    fn an_unknown_bit_is_refused() {
        assert_eq!(Kinds::from_flags(1), None);
        assert_eq!(Kinds::from_flags(Kind::Net.flag() | Kind::Uts.flag()).unwrap().to_string(), "net+uts");
    }
}
