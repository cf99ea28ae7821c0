//! The namespaces that a thread is in and should be in, and how it enters others and returns.
//!
//! Identities are read once per thread, and the kernel is not called for a kind that is equal already. Other code that
//! moves a thread (for example the setns of another addon) makes them stale.

use std::{
    borrow::Cow,
    cell::RefCell,
    env, mem,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
};

use nix::{
    errno::Errno,
    sched::{self, CloneFlags, setns},
};

use crate::{
    children::reaper,
    error::{Error, Result, SystemError},
    footprint,
    kind::{ByKind, Kind, Kinds},
    namespaces::namespace::{Namespace, NamespaceId},
    namespaces::ns_link,
    namespaces::set::NamespaceSet,
    namespaces::source,
};

/// The kinds that a thread of a running Node.js process can enter and leave again.
const ENTERABLE: [Kind; 4] = [Kind::Cgroup, Kind::Ipc, Kind::Net, Kind::Uts];

/// The kinds that it can enter for good, in order. The mount namespace is last, because `/proc` may be another one in
/// it.
const ENTERABLE_FOR_GOOD: [Kind; 5] = [Kind::Cgroup, Kind::Ipc, Kind::Net, Kind::Uts, Kind::Mnt];

/// One namespace of each kind that the kernel has.
type Held = ByKind<Option<Arc<Namespace>>>;

struct ThreadState {
    /// `/proc/thread-self/ns` of this thread.
    directory: OwnedFd,
    /// The namespaces in which the thread was first seen.
    origin: Held,
    /// The namespaces in which the thread should be at this depth of nesting.
    target: Held,
    /// The namespaces in which the thread is.
    current: Held,
    /// The last failed attempt to restore the thread; `None` after one that succeeded.
    not_restored: Option<(Kind, Errno)>,
    /// The value of [`footprint::moves`] for which `current` is right.
    moves: u64,
    /// The kinds in which `current` differs from `origin`.
    away: Kinds,
}

thread_local! {
    static THREAD_STATE: RefCell<Option<ThreadState>> = const { RefCell::new(None) };
}

/// Reads the namespaces of the thread. Called when the addon is loaded, before anything can have been entered.
pub fn remember() -> Result<()> {
    with_state(|_| ())
}

/// The namespaces of a thread, held open for a thread that it starts, which is in the same ones.
#[derive(Clone, Debug)]
pub struct HeldNamespaces(Held);

/// The namespaces of the calling thread.
pub fn held_namespaces() -> Result<HeldNamespaces> {
    with_state(|state| HeldNamespaces(state.current.clone()))
}

impl HeldNamespaces {
    /// As [`remember`], on the thread that was started. It shares the descriptors of the other thread.
    pub fn remember(self) -> Result<()> {
        THREAD_STATE.set(Some(ThreadState::at(source::open_own_directory()?, self.0)));
        Ok(())
    }
}

/// The namespaces of the calling thread; without kinds, of all kinds that the kernel has.
pub fn current(kinds: Option<Kinds>) -> Result<NamespaceSet> {
    with_state(|state| state.current(kinds.unwrap_or_else(|| state.kinds())))?
}

/// The namespaces of the calling thread of these kinds, as far as they are known without asking the kernel: none if the
/// thread was never read.
pub(crate) fn known(kinds: Kinds) -> Result<NamespaceSet> {
    if THREAD_STATE.with_borrow(Option::is_none) {
        return Ok(NamespaceSet::default());
    }
    with_state(|state| {
        let mut set = NamespaceSet::default();
        kinds.iter().filter_map(|kind| state.current[kind].as_ref()).for_each(|namespace| set.share(namespace));
        set
    })
}

/// The identity of the thread's namespace of this kind; `None` if the kernel has no such kind.
pub(crate) fn current_id(kind: Kind) -> Option<NamespaceId> {
    THREAD_STATE.with_borrow(|state| match state {
        Some(state) if !state.is_stale() => state.current[kind].as_ref().map(|namespace| namespace.id()),
        // A thread that has entered nothing has no state yet.
        _ => source::own_id(kind),
    })
}

/// The namespaces that a process is in which the calling thread starts, of the kinds that a thread can have for itself;
/// `None` if they cannot be read. The kernel is asked about those that other code may have entered.
pub(crate) fn namespaces_of_children() -> Option<[Option<NamespaceId>; 5]> {
    const KINDS: [Kind; 5] = [Kind::Cgroup, Kind::Ipc, Kind::Uts, Kind::Net, Kind::Mnt];
    const OTHERS_ENTER: [Kind; 2] = [Kind::Net, Kind::Mnt];
    THREAD_STATE.with_borrow(|state| {
        let state = state.as_ref().filter(|state| !state.is_stale());
        let Some(state) = state else { return Some(KINDS.map(source::own_id)) };
        let known = KINDS.map(|kind| state.current[kind].as_ref().map(|namespace| namespace.id()));
        let is_as_known = |kind| {
            let known = state.current[kind].as_ref().map(|namespace| namespace.id().ino);
            ns_link::read_inode(state.directory.as_fd(), kind) == known
        };
        OTHERS_ENTER.into_iter().all(is_as_known).then_some(known)
    })
}

/// Restores a thread that could not be restored before. Has to be called before anything else is done on it.
pub fn ensure_restored() -> Result<()> {
    THREAD_STATE.with_borrow_mut(|state| match state {
        Some(state) if state.not_restored.is_some() => {
            if state.is_stale() {
                for kind in ENTERABLE {
                    state.current[kind] = None;
                }
            }
            state.restore().map_err(|(kind, errno)| Error::Tainted { kind, errno })
        }
        _ => Ok(()),
    })
}

/// Whether the calling thread is still in a namespace from which it could not be restored.
pub(crate) fn is_not_restored() -> bool {
    THREAD_STATE.with_borrow(|state| state.as_ref().is_some_and(|state| state.not_restored.is_some()))
}

/// Checks that the calling thread, once it has left the namespaces of these kinds, can return: setns(2) into the
/// current namespace has the same requirements as the way back, and changes nothing.
pub(crate) fn check_way_back(kinds: Kinds) -> std::result::Result<(), (Kind, Errno)> {
    THREAD_STATE.with_borrow(|state| {
        let held = state.iter().flat_map(|state| kinds.iter().filter_map(move |kind| state.current[kind].as_ref()));
        for namespace in held {
            move_to(namespace).map_err(|errno| (namespace.kind(), errno))?;
        }
        Ok(())
    })
}

/// Makes new namespaces of these kinds with the calling thread, which is in them until the visit ends.
pub(crate) fn unshare(kinds: Kinds) -> std::result::Result<Visit, Errno> {
    THREAD_STATE.with_borrow_mut(|state| {
        sched::unshare(CloneFlags::from_bits_retain(kinds.flags() as i32))?;
        Ok(Visit { previous: state.as_mut().map_or_else(Held::default, |state| state.note_unshare(kinds)) })
    })
}

/// Opens the namespaces of these kinds that the calling thread is in.
pub(crate) fn open_here(kinds: Kinds) -> Result<NamespaceSet> {
    THREAD_STATE.with_borrow(|state| match state {
        Some(state) => source::open_own(state.directory.as_fd(), Some(kinds)),
        None => source::open_own(source::open_own_directory()?.as_fd(), Some(kinds)),
    })
}

fn move_to(namespace: &Namespace) -> std::result::Result<(), Errno> {
    setns(namespace.as_fd(), CloneFlags::from_bits_retain(namespace.kind().flag() as i32))
}

/// A visit of the calling thread to a set. Every caller has to end it with [`Visit::leave`], also after an error; a
/// panic ends it, too.
#[derive(Debug)]
#[must_use = "the thread stays inside until `leave` is called"]
pub struct Visit {
    /// The former `target` of the kinds that were entered.
    previous: Held,
}

/// Enters these kinds of the set with the calling thread. After an error the thread is where it was.
pub fn visit(set: &NamespaceSet, kinds: Kinds) -> Result<Visit> {
    // The reaper has to be started by a thread that is outside, so before this one enters.
    reaper::start()?;
    with_state(|state| state.visit(set, kinds))?
}

impl Visit {
    /// Returns to the namespaces before the visit.
    pub fn leave(mut self) -> Result<()> {
        let previous = mem::take(&mut self.previous);
        THREAD_STATE.with_borrow_mut(|state| state.as_mut().map_or(Ok(()), |state| state.leave(previous)))
    }

    /// Returns to the namespaces before the visit, and then returns the outcome. If the thread cannot return, that is
    /// the error, and the outcome is dropped.
    pub fn leave_with<T>(self, outcome: Result<T>) -> Result<T> {
        self.leave()?;
        outcome
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let previous = mem::take(&mut self.previous);
        if previous.values().all(Option::is_none) {
            return;
        }
        let _ = THREAD_STATE.try_with(|state| {
            if let Ok(mut state) = state.try_borrow_mut() {
                let _ = state.as_mut().map(|state| state.leave(previous));
            }
        });
    }
}

/// Enters these kinds of the set with the calling thread for good.
pub fn enter(set: &NamespaceSet, kinds: Kinds) -> Result<()> {
    reaper::start()?;
    with_state(|state| state.enter(set, kinds))?
}

fn with_state<T>(call: impl FnOnce(&mut ThreadState) -> T) -> Result<T> {
    THREAD_STATE.with_borrow_mut(|slot| match slot {
        Some(state) => {
            state.catch_up()?;
            Ok(call(state))
        }
        None => Ok(call(slot.insert(ThreadState::read()?))),
    })
}

impl ThreadState {
    fn read() -> Result<Self> {
        let directory = source::open_own_directory()?;
        let here = Self::read_namespaces(directory.as_fd())?;
        Ok(Self::at(directory, here))
    }

    fn at(directory: OwnedFd, here: Held) -> Self {
        let (origin, target) = (here.clone(), here.clone());
        Self {
            directory,
            origin,
            target,
            current: here,
            not_restored: None,
            moves: footprint::moves(),
            away: Kinds::NONE,
        }
    }

    fn read_namespaces(directory: BorrowedFd<'_>) -> Result<Held> {
        let here = source::open_own(directory, None)?;
        Ok(ByKind::new(|kind| here.find(kind).cloned()))
    }

    /// Whether another copy of this library has moved the thread since.
    fn is_stale(&self) -> bool {
        self.moves != footprint::moves()
    }

    /// Reads the state again if another copy has moved the thread; this copy then treats the new namespaces as the
    /// right ones.
    fn catch_up(&mut self) -> Result<()> {
        if !self.is_stale() || self.not_restored.is_some() {
            return Ok(());
        }
        let here = Self::read_namespaces(self.directory.as_fd())?;
        if self.away.is_empty() {
            self.origin = here.clone();
        }
        self.target = here.clone();
        self.current = here;
        self.moves = footprint::moves();
        for kind in ENTERABLE_FOR_GOOD {
            self.update_away(kind);
        }
        Ok(())
    }

    fn update_away(&mut self, kind: Kind) {
        let id = |held: &Held| held[kind].as_ref().map(|namespace| namespace.id());
        let was_away = !self.away.is_empty();
        self.away = if id(&self.current) == id(&self.origin) { self.away.without(kind) } else { self.away.with(kind) };
        let is_away = !self.away.is_empty();
        if is_away != was_away {
            footprint::set_away(is_away);
        }
    }

    fn kinds(&self) -> Kinds {
        self.current.values().flatten().map(|namespace| namespace.kind()).collect()
    }

    /// Reads from the kernel which namespaces these are. Known ones are shared, and only the others are opened.
    fn current(&self, kinds: Kinds) -> Result<NamespaceSet> {
        let mut set = NamespaceSet::default();
        let mut unknown = Kinds::NONE;
        for kind in kinds.iter() {
            let inode = ns_link::read_inode(self.directory.as_fd(), kind);
            match &self.current[kind] {
                Some(namespace) if Some(namespace.id().ino) == inode => set.share(namespace),
                _ => unknown = unknown.with(kind),
            }
        }
        Ok(set.or(&source::open_own(self.directory.as_fd(), Some(unknown))?))
    }

    fn visit(&mut self, set: &NamespaceSet, kinds: Kinds) -> Result<Visit> {
        for kind in kinds.iter().filter(|kind| !ENTERABLE.contains(kind)) {
            if !self.is_in(set.get(kind)?) {
                return Err(Error::NotEnterable { kind, reason: refusal(kind).into() });
            }
        }
        let mut previous = Held::default();
        for kind in ENTERABLE.into_iter().filter(|kind| kinds.contains(*kind)) {
            let namespace = set.get(kind)?;
            if self.is_in(namespace) {
                continue;
            }
            let entered = self.ensure_way_back(kind).and_then(|()| {
                previous[kind] = self.target[kind].replace(Arc::clone(namespace));
                self.move_to_target(kind).map_err(|errno| explain(kind, errno))
            });
            if let Err(error) = entered {
                self.leave(previous)?;
                return Err(error);
            }
        }
        Ok(Visit { previous })
    }

    /// Checks whether the thread may enter its current namespace again. It may not if the owner is outside of its own
    /// user namespace, where it has no capability; the kernel hides such an owner.
    fn ensure_way_back(&self, kind: Kind) -> Result<()> {
        let Some(current) = &self.current[kind] else { return Ok(()) };
        match current.visible_owner_id()? {
            Some(_) => Ok(()),
            None => Err(Error::NotEnterable { kind, reason: NO_WAY_BACK.into() }),
        }
    }

    fn leave(&mut self, mut previous: Held) -> Result<()> {
        let was_stale = self.is_stale();
        for kind in ENTERABLE {
            let Some(before) = previous[kind].take() else { continue };
            if was_stale {
                // Another copy has moved the thread meanwhile, so its namespace is known only after it has returned.
                self.current[kind] = None;
            }
            self.target[kind] = Some(before);
        }
        let restored = self.restore();
        if was_stale {
            // The next call reads the kinds that this visit did not enter.
            self.moves = footprint::moves().wrapping_sub(1);
        }
        restored.map_err(|(kind, errno)| Error::Restore { kind, errno })
    }

    fn enter(&mut self, set: &NamespaceSet, kinds: Kinds) -> Result<()> {
        for kind in kinds.iter().filter(|kind| !ENTERABLE_FOR_GOOD.contains(kind)) {
            if !self.is_in(set.get(kind)?) {
                return Err(Error::NotEnterable { kind, reason: refusal_for_good(kind).into() });
            }
        }
        let before = self.target.clone();
        for kind in ENTERABLE_FOR_GOOD.into_iter().filter(|kind| kinds.contains(*kind)) {
            let namespace = set.get(kind)?;
            if self.is_in(namespace) {
                continue;
            }
            self.target[kind] = Some(Arc::clone(namespace));
            let entered = if kind == Kind::Mnt { self.move_to_mounts() } else { self.move_to_target(kind) };
            if let Err(errno) = entered {
                self.target = before;
                self.restore().map_err(|(kind, errno)| Error::Restore { kind, errno })?;
                return Err(explain(kind, errno));
            }
        }
        Ok(())
    }

    /// Notes that the thread is in new namespaces of these kinds, and returns its former `target`.
    fn note_unshare(&mut self, kinds: Kinds) -> Held {
        let mut previous = Held::default();
        for kind in kinds.iter() {
            previous[kind] = self.target[kind].take();
            self.current[kind] = None;
            self.update_away(kind);
        }
        self.moves = footprint::step();
        previous
    }

    /// Moves the thread to its `target` of each kind. All kinds are tried, so that as few as possible are wrong.
    fn restore(&mut self) -> std::result::Result<(), (Kind, Errno)> {
        self.not_restored = None;
        for kind in ENTERABLE {
            if let Err(errno) = self.move_to_target(kind) {
                self.not_restored = Some((kind, errno));
            }
        }
        self.not_restored.map_or(Ok(()), Err)
    }

    fn move_to_target(&mut self, kind: Kind) -> std::result::Result<(), Errno> {
        let Some(destination) = &self.target[kind] else { return Ok(()) };
        if self.current[kind].as_ref().is_some_and(|current| current.id() == destination.id()) {
            return Ok(());
        }
        move_to(destination)?;
        self.current[kind] = Some(Arc::clone(destination));
        self.update_away(kind);
        self.moves = footprint::step();
        Ok(())
    }

    /// setns(2) moves the thread into the root directory, while JavaScript remembers the working directory of the
    /// process. So the thread changes to the directory of that name, if there is one inside.
    fn move_to_mounts(&mut self) -> std::result::Result<(), Errno> {
        let directory = env::current_dir();
        sched::unshare(CloneFlags::CLONE_FS)?;
        self.move_to_target(Kind::Mnt)?;
        let _ = directory.and_then(env::set_current_dir);
        Ok(())
    }

    fn is_in(&self, namespace: &Namespace) -> bool {
        self.current[namespace.kind()].as_ref().is_some_and(|current| current.id() == namespace.id())
    }
}

/// Why `do` does not leave a namespace to which it could not return.
const NO_WAY_BACK: &str = "the one that the thread is in belongs to a user namespace outside of its own, so there would be \
                           no way back (EPERM, setns(2)); use spawn, execFile or fork, worker, or enter in a Worker";

/// Why `do` does not enter this kind, and which method does.
const fn refusal(kind: Kind) -> &'static str {
    match kind {
        Kind::User => {
            "a process with threads cannot join a user namespace (setns(2)); use spawn, execFile or fork, network, or narrow with { kinds }"
        }
        Kind::Time => {
            "a process with threads cannot join a time namespace (setns(2)); use spawn, execFile or fork, or narrow with { kinds }"
        }
        Kind::Pid => {
            "Node.js could start no thread meanwhile, and would abort; use spawn, execFile or fork, or narrow with { kinds }"
        }
        Kind::Mnt => {
            "it needs unshare(CLONE_FS), which cannot be undone; use enter or worker, spawn, execFile or fork, or narrow with { kinds }"
        }
        Kind::Cgroup | Kind::Ipc | Kind::Net | Kind::Uts => "it can",
    }
}

/// Why `enter` does not enter this kind.
const fn refusal_for_good(kind: Kind) -> &'static str {
    match kind {
        Kind::Pid => "the process could start no further thread; use spawn, execFile or fork, or narrow with { kinds }",
        other => refusal(other),
    }
}

fn explain(kind: Kind, errno: Errno) -> Error {
    match errno {
        Errno::EPERM => Error::NotEnterable {
            kind,
            reason: Cow::Borrowed(
                "the thread has no CAP_SYS_ADMIN in both its own user namespace and the one that owns this namespace \
                 (EPERM, setns(2)); an ordinary user can use spawn, execFile, fork or network",
            ),
        },
        _ => SystemError::new(errno, "setns").kind(kind).into(),
    }
}
