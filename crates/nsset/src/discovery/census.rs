//! The namespaces that were found, each once.

use std::{
    collections::{HashMap, HashSet},
    ffi::CString,
    fmt,
    os::fd::AsFd,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nix::errno::Errno;
use serde::Serialize;

use crate::{
    discovery::incomplete::{Incomplete, What},
    kind::{Kind, Kinds},
    namespaces::{ioctl, namespace::Namespace},
};

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    pub kinds: Kinds,
    /// Whether to find out what holds them, and not only which there are.
    pub holders: bool,
}

/// A process that holds namespaces.
#[derive(Debug, Serialize)]
pub struct Process {
    pub pid: i32,
    /// Its name, as in `/proc/PID/comm`.
    pub command: String,
    /// The longest path of its cgroups.
    pub cgroup: String,
}

/// What keeps a namespace alive, besides the processes in it. In this order they are listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Holder {
    /// A process whose next children are in it: `pid_for_children`, `time_for_children`.
    Children {
        pid: i32,
    },
    /// A thread in it, of a process whose main thread is elsewhere.
    Thread {
        pid: i32,
        tid: i32,
    },
    Descriptor {
        pid: i32,
        fd: i32,
    },
    /// A socket in it, of a process that is elsewhere.
    Socket {
        pid: i32,
        fd: i32,
    },
    Mount {
        #[serde(serialize_with = "as_text")]
        path: CString,
        /// The inode number of the mount namespace in which it is mounted.
        mounts: u64,
        /// A process in that mount namespace.
        #[serde(skip)]
        through: Option<i32>,
    },
    /// A namespace that this one owns or is the parent of.
    Namespace {
        kind: Kind,
        inode: u64,
    },
}

fn as_text<S: serde::Serializer>(path: &CString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.to_string_lossy())
}

/// A namespace that was found.
#[derive(Debug)]
pub struct Found {
    pub kind: Kind,
    pub inode: u64,
    pub unique_id: Option<u64>,
    /// The inode number of the user namespace that owns it, if the kernel shows it.
    pub owner: Option<u64>,
    /// The inode number of its parent: for `user` and `pid`.
    pub parent: Option<u64>,
    /// Who created the user namespace that owns it; for a user namespace, who created it.
    pub owner_uid: Option<u32>,
    /// The pids of the processes in it.
    pub processes: Vec<i32>,
    pub holders: Vec<Holder>,
}

/// What was found.
#[derive(Debug)]
pub struct Discovery {
    pub namespaces: Vec<Found>,
    pub processes: Vec<Process>,
    pub incomplete: Vec<Incomplete>,
}

impl fmt::Debug for Census {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Census").field("namespaces", &self.known().found.len()).finish_non_exhaustive()
    }
}

/// What has been found so far. Several threads add to it: what they ask the kernel, they ask without the lock.
pub(super) struct Census {
    pub search: Search,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    processes: Vec<Process>,
    incomplete: Vec<Incomplete>,
    found: Vec<Found>,
    indexes: HashMap<(Kind, u64), usize>,
}

impl Census {
    pub fn new(search: Search) -> Self {
        Self { search, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether namespaces of this kind have to be read: mount namespaces are read for what is mounted in them.
    pub fn looks_at(&self, kind: Kind) -> bool {
        kind == Kind::Mnt || self.search.kinds.contains(kind)
    }

    /// The index of a namespace. One that is new is opened and asked for its relatives; `None` if it cannot be opened, or
    /// if another one has taken its place.
    pub fn meet(&self, kind: Kind, inode: u64, open: impl FnOnce() -> Option<Namespace>) -> Option<usize> {
        if let Some(index) = self.index(kind, inode) {
            return Some(index);
        }
        let namespace = open()?;
        (namespace.kind() == kind && namespace.id().ino == inode).then(|| self.add(&namespace))
    }

    /// The index of a namespace that is known.
    pub fn index(&self, kind: Kind, inode: u64) -> Option<usize> {
        self.known().indexes.get(&(kind, inode)).copied()
    }

    /// The index of the network with this unique id, and its inode number.
    pub fn network(&self, unique_id: u64) -> Option<(usize, u64)> {
        let known = self.known();
        let mut networks = known.found.iter().enumerate().filter(|(_, found)| found.kind == Kind::Net);
        networks.find(|(_, found)| found.unique_id == Some(unique_id)).map(|(index, found)| (index, found.inode))
    }

    /// The index of an open namespace.
    pub fn add(&self, namespace: &Namespace) -> usize {
        let (kind, inode) = (namespace.kind(), namespace.id().ino);
        if let Some(index) = self.index(kind, inode) {
            return index;
        }
        let unique_id = ioctl::unique_id(namespace.as_fd()).ok();
        let uid = if kind == Kind::User { ioctl::owner_uid(namespace.as_fd()).ok() } else { None };
        // The owner of a user namespace is its parent.
        let owner = namespace.owner().ok().map(|owner| self.add(&owner));
        let parent = if kind == Kind::Pid { namespace.parent().ok() } else { None };
        let parent = parent.map(|parent| self.add(&parent));
        self.known().insert(Newcomer { kind, inode, unique_id, owner, parent, uid })
    }

    /// Adds a process that holds namespaces.
    pub fn enroll(&self, process: Process) {
        self.known().processes.push(process);
    }

    /// Adds a process that is in the namespace. Returns whether it is the first.
    pub fn inhabit(&self, index: usize, pid: i32) -> bool {
        let mut known = self.known();
        let Some(found) = known.found.get_mut(index) else { return false };
        found.processes.push(pid);
        found.processes.len() == 1
    }

    pub fn hold(&self, index: usize, holder: Holder) {
        self.known().hold(index, holder);
    }

    /// Notes what could not be looked at at all.
    pub fn note(&self, what: What) {
        self.known().incomplete.push(Incomplete { what, count: None, code: None });
    }

    /// Counts one more that could not be looked at.
    pub fn count(&self, what: What, errno: Errno) {
        let code = Some(format!("{errno:?}"));
        let incomplete = &mut self.known().incomplete;
        match incomplete.iter_mut().find(|each| each.what == what && each.code == code) {
            Some(known) => known.count = known.count.map(|count| count + 1),
            None => incomplete.push(Incomplete { what, count: Some(1), code }),
        }
    }

    /// The namespaces so far, for the only thread that adds to them.
    pub fn found(&mut self) -> &[Found] {
        &self.known.get_mut().unwrap_or_else(PoisonError::into_inner).found
    }

    pub fn unique_ids(&self) -> HashSet<u64> {
        self.known().found.iter().filter_map(|found| found.unique_id).collect()
    }

    pub fn close(self) -> Discovery {
        let Known { mut processes, incomplete, mut found, .. } =
            self.known.into_inner().unwrap_or_else(PoisonError::into_inner);
        processes.sort_unstable_by_key(|process| process.pid);
        found.sort_unstable_by_key(|found| (found.kind, found.inode));
        for each in &mut found {
            each.processes.sort_unstable();
            each.holders.sort_unstable();
        }
        Discovery { namespaces: found, processes, incomplete }
    }
}

/// A namespace that was asked for its relatives, which are known.
struct Newcomer {
    kind: Kind,
    inode: u64,
    unique_id: Option<u64>,
    owner: Option<usize>,
    parent: Option<usize>,
    uid: Option<u32>,
}

impl Known {
    /// Adds it, unless another thread has added it meanwhile.
    fn insert(&mut self, newcomer: Newcomer) -> usize {
        let Newcomer { kind, inode, unique_id, owner, parent, uid } = newcomer;
        if let Some(index) = self.indexes.get(&(kind, inode)) {
            return *index;
        }
        let of_owner = owner.and_then(|owner| self.found.get(owner)).map(|owner| (owner.inode, owner.owner_uid));
        let of_parent = parent.and_then(|parent| self.found.get(parent)).map(|parent| parent.inode);
        let owned_by = of_owner.map(|(inode, _)| inode);
        let index = self.found.len();
        self.indexes.insert((kind, inode), index);
        self.found.push(Found {
            kind,
            inode,
            unique_id,
            owner: owned_by,
            parent: if kind == Kind::User { owned_by } else { of_parent },
            owner_uid: uid.or(of_owner.and_then(|(_, uid)| uid)),
            processes: Vec::new(),
            holders: Vec::new(),
        });
        for relative in [owner, parent].into_iter().flatten() {
            self.hold(relative, Holder::Namespace { kind, inode });
        }
        index
    }

    fn hold(&mut self, index: usize, holder: Holder) {
        if let Some(found) = self.found.get_mut(index) {
            found.holders.push(holder);
        }
    }
}
