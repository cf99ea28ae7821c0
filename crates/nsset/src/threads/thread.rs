//! Where the calling thread stands, where it belongs, and how it goes in and comes back.
//!
//! Identities are read once per thread, and nothing is asked of the kernel for a kind that is equal already. Whoever
//! moves a thread by other means (another addon's setns) makes that stale.

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

/// The kinds that a thread of a running Node can enter and leave again.
const ENTERABLE: [Kind; 4] = [Kind::Cgroup, Kind::Ipc, Kind::Net, Kind::Uts];

/// The kinds it can enter for good, in order: the mount namespace last, since `/proc` may be another one then.
const ENTERABLE_FOR_GOOD: [Kind; 5] = [Kind::Cgroup, Kind::Ipc, Kind::Net, Kind::Uts, Kind::Mnt];

/// One of each kind, where the kernel has it.
type Held = ByKind<Option<Arc<Namespace>>>;

struct ThreadState {
    /// `/proc/thread-self/ns` of this thread.
    directory: OwnedFd,
    /// Where it was first seen.
    origin: Held,
    /// Where the thread is to be at this depth of nesting.
    target: Held,
    /// Where it is.
    current: Held,
    /// The last restore that failed, until one succeeds.
    not_restored: Option<(Kind, Errno)>,
    /// How often it had been moved when this was true.
    moves: u64,
    /// The kinds of which it is elsewhere than where it was first seen.
    away: Kinds,
}

thread_local! {
    static THREAD_STATE: RefCell<Option<ThreadState>> = const { RefCell::new(None) };
}

/// Reads where the thread stands. Called when the addon is loaded, before anything can have been entered.
pub fn remember() -> Result<()> {
    with_state(|_| ())
}

/// Where a thread stands, for one that it starts, which stands there too.
#[derive(Clone, Debug)]
pub struct HeldNamespaces(Held);

/// Where the calling thread stands.
pub fn held_namespaces() -> Result<HeldNamespaces> {
    with_state(|state| HeldNamespaces(state.current.clone()))
}

impl HeldNamespaces {
    /// As [`remember`], on the thread that was started, sharing what the other one holds open.
    pub fn remember(self) -> Result<()> {
        THREAD_STATE.set(Some(ThreadState::at(source::open_own_directory()?, self.0)));
        Ok(())
    }
}

/// The namespaces of the calling thread; of all kinds that the kernel has when none are named.
pub fn current(kinds: Option<Kinds>) -> Result<NamespaceSet> {
    with_state(|state| state.current(kinds.unwrap_or_else(|| state.kinds())))?
}

/// Those of the calling thread's namespaces that are known, of these kinds: none of a thread that was never asked about.
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

/// The thread's namespace of this kind; `None` where the kernel has no such kind.
pub(crate) fn current_id(kind: Kind) -> Option<NamespaceId> {
    THREAD_STATE.with_borrow(|state| match state {
        Some(state) if !state.is_stale() => state.current[kind].as_ref().map(|namespace| namespace.id()),
        // A thread that has gone in nowhere has nothing to remember.
        _ => source::own_id(kind),
    })
}

/// Brings a thread back that could not be brought back before; to be called before anything else is done on it.
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

/// Whether the calling thread could not be brought back, and was not since.
pub(crate) fn is_not_restored() -> bool {
    THREAD_STATE.with_borrow(|state| state.as_ref().is_some_and(|state| state.not_restored.is_some()))
}

/// Shows that the calling thread, once it has left the namespaces of these kinds, may come back: setns(2) into where a thread
/// stands needs what the way back needs, and changes nothing.
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

/// Opens the namespaces of these kinds in which the calling thread is.
pub(crate) fn open_here(kinds: Kinds) -> Result<NamespaceSet> {
    THREAD_STATE.with_borrow(|state| match state {
        Some(state) => source::open_own(state.directory.as_fd(), Some(kinds)),
        None => source::open_own(source::open_own_directory()?.as_fd(), Some(kinds)),
    })
}

fn move_to(namespace: &Namespace) -> std::result::Result<(), Errno> {
    setns(namespace.as_fd(), CloneFlags::from_bits_retain(namespace.kind().flag() as i32))
}

/// A stay inside a set. It has to be ended by [`Visit::leave`], whatever happened meanwhile; a panic ends it too.
#[derive(Debug)]
#[must_use = "the thread stays inside until `leave` is called"]
pub struct Visit {
    /// Where the thread belonged before, of the kinds that were entered.
    previous: Held,
}

/// Enters these kinds of the set with the calling thread. On an error it is where it was.
pub fn visit(set: &NamespaceSet, kinds: Kinds) -> Result<Visit> {
    // Threads are started by those that are at home, and so before one goes inside.
    reaper::start()?;
    with_state(|state| state.visit(set, kinds))?
}

impl Visit {
    /// Goes back to where the thread was before the visit.
    pub fn leave(mut self) -> Result<()> {
        let previous = mem::take(&mut self.previous);
        THREAD_STATE.with_borrow_mut(|state| state.as_mut().map_or(Ok(()), |state| state.leave(previous)))
    }

    /// Goes back, and hands on what came of the stay. A failed way back is the error, and what came is dropped.
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

/// Enters these kinds of the set for good: the thread belongs there from now on.
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
        let here = Self::look(directory.as_fd())?;
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

    fn look(directory: BorrowedFd<'_>) -> Result<Held> {
        let here = source::open_own(directory, None)?;
        Ok(ByKind::new(|kind| here.find(kind).cloned()))
    }

    /// Whether another copy of this library has moved the thread.
    fn is_stale(&self) -> bool {
        self.moves != footprint::moves()
    }

    /// Where another copy has moved the thread, it belongs there as far as this one is concerned.
    fn catch_up(&mut self) -> Result<()> {
        if !self.is_stale() || self.not_restored.is_some() {
            return Ok(());
        }
        let here = Self::look(self.directory.as_fd())?;
        if self.away.is_empty() {
            self.origin = here.clone();
        }
        self.target = here.clone();
        self.current = here;
        self.moves = footprint::moves();
        for kind in ENTERABLE_FOR_GOOD {
            self.note_whether_away(kind);
        }
        Ok(())
    }

    fn note_whether_away(&mut self, kind: Kind) {
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

    /// The kernel is asked which namespaces these are; what is known already is shared, and only the rest is opened.
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

    /// Whether the thread may enter again what it stands in: not what is owned outside of its own user namespace, where
    /// it has no capability. The kernel hides such an owner.
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
                // Another copy has moved the thread meanwhile: where it is now is known only once it is back.
                self.current[kind] = None;
            }
            self.target[kind] = Some(before);
        }
        let restored = self.restore();
        if was_stale {
            // The kinds that this visit did not enter are looked at by the next call.
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

    /// The thread is in new namespaces of these kinds; where it belonged before.
    fn note_unshare(&mut self, kinds: Kinds) -> Held {
        let mut previous = Held::default();
        for kind in kinds.iter() {
            previous[kind] = self.target[kind].take();
            self.current[kind] = None;
            self.note_whether_away(kind);
        }
        self.moves = footprint::step();
        previous
    }

    /// Goes back wherever the thread is not where it belongs. All kinds are tried, so that as little as can be is foreign.
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
        self.note_whether_away(kind);
        self.moves = footprint::step();
        Ok(())
    }

    /// setns(2) puts the thread into the root directory, while JavaScript remembers where the process is: it goes on to
    /// the directory of that name, where there is one inside.
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

/// Why `do` does not leave a namespace that it could not come back to.
const NO_WAY_BACK: &str = "the one that the thread is in belongs to a user namespace outside of its own, so there would be \
                           no way back (EPERM, setns(2)); use spawn, execFile or fork, worker, or enter in a Worker";

/// Why `do` does not enter this kind, and what does.
const fn refusal(kind: Kind) -> &'static str {
    match kind {
        Kind::User => {
            "a process with threads cannot join a user namespace (setns(2)); use spawn, execFile or fork, network, or narrow with { kinds }"
        }
        Kind::Time => {
            "a process with threads cannot join a time namespace (setns(2)); use spawn, execFile or fork, or narrow with { kinds }"
        }
        Kind::Pid => {
            "no thread could be started meanwhile, which Node does not survive; use spawn, execFile or fork, or narrow with { kinds }"
        }
        Kind::Mnt => {
            "it needs unshare(CLONE_FS), which cannot be undone; use enter or worker, spawn, execFile or fork, or narrow with { kinds }"
        }
        Kind::Cgroup | Kind::Ipc | Kind::Net | Kind::Uts => "it can",
    }
}

/// Why `enter` does not, where `do` would not either.
const fn refusal_for_good(kind: Kind) -> &'static str {
    match kind {
        Kind::Pid => {
            "no thread could be started in the process any more; use spawn, execFile or fork, or narrow with { kinds }"
        }
        other => refusal(other),
    }
}

fn explain(kind: Kind, errno: Errno) -> Error {
    match errno {
        Errno::EPERM => Error::NotEnterable {
            kind,
            reason: Cow::Borrowed(
                "the thread has no CAP_SYS_ADMIN in both its own user namespace and the one that owns this namespace \
                 (EPERM, setns(2)); an ordinary user's way in is spawn, execFile, fork or network",
            ),
        },
        _ => SystemError::new(errno, "setns").kind(kind).into(),
    }
}
