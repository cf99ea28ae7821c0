//! The native part of a set.

use std::{
    cell::{OnceCell, Ref, RefCell},
    mem,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use napi::{Env, Result, bindgen_prelude::BigInt};
use napi_derive::napi;
use nsset::{Ending, Error, Stay, netns::TemporaryName};

use crate::{
    convert::{Text, kinds_of, optional_kind, optional_kinds, path},
    deferred::{Deferred, Loop, Promise},
    failure::{self, guard},
    loading::start,
    network_thread::turns::{Line, Lines},
    sets::fd_set::NativeFds,
    sets::work,
};

/// The temporary names of a set. Work that adds a name has a weak reference to this.
type Names = Arc<Mutex<Vec<TemporaryName>>>;

/// The native part of a `NamespaceSet`. It holds `None` when it is closed.
#[napi]
pub struct NativeSet {
    set: RefCell<Option<nsset::NamespaceSet>>,
    /// Names that are removed when the set is closed or dropped. Closing replaces the list by an empty one.
    names: RefCell<Names>,
    /// Keeps a pid namespace alive until the set is closed.
    stay: RefCell<Option<Stay>>,
    /// The end of the pid namespace that closing the set has ended.
    ending: RefCell<Option<Ending>>,
    /// The lines of work that creates namespaces below this set and may wait for processes inside.
    lines: OnceCell<Lines>,
}

impl From<nsset::NamespaceSet> for NativeSet {
    fn from(set: nsset::NamespaceSet) -> Self {
        let (stay, set) = (RefCell::new(set.stay()), RefCell::new(Some(set)));
        Self { set, names: RefCell::default(), stay, ending: RefCell::default(), lines: OnceCell::new() }
    }
}

impl NativeSet {
    /// Returns the set, or `ERR_NSSET_CLOSED` if it is closed.
    pub fn open(&self) -> nsset::Result<Ref<'_, nsset::NamespaceSet>> {
        Ref::filter_map(self.set.borrow(), Option::as_ref).map_err(|_| Error::Closed)
    }

    /// Returns the list of temporary names, which lives as long as the set is open.
    pub fn names(&self) -> Weak<Mutex<Vec<TemporaryName>>> {
        Arc::downgrade(&self.names.borrow())
    }

    /// Adds a temporary name.
    pub fn hold_name(&self, name: TemporaryName) {
        self.names.borrow().lock().unwrap_or_else(PoisonError::into_inner).push(name);
    }

    /// Returns a line for work that processes inside may block.
    pub fn line(&self) -> Line {
        self.lines.get_or_init(Lines::new).next()
    }

    /// Returns the value that keeps the set's pid namespace alive.
    pub fn stay(&self) -> Option<Stay> {
        self.open().ok().and_then(|set| set.stay())
    }

    /// Runs a call with the open set. Throws if the set is closed.
    pub fn with<T>(&self, env: Env, call: impl FnOnce(&nsset::NamespaceSet) -> nsset::Result<T>) -> Result<T> {
        guard(env, || call(&*self.open()?))
    }
}

#[napi]
impl NativeSet {
    /// Returns the kinds of the set as a mask.
    #[napi(catch_unwind)]
    pub fn flags(&self, env: Env) -> Result<u32> {
        self.open().map(|set| set.kinds().flags()).map_err(|error| failure::throw(env, &error))
    }

    #[napi(catch_unwind, getter)]
    pub fn closed(&self) -> bool {
        self.set.borrow().is_none()
    }

    /// Removes the temporary names before `close` is called. Returns null if there are none, or if the namespaces of the calling
    /// thread are not restored: `close` removes the names in that case.
    #[napi(catch_unwind, ts_return_type = "Promise<void> | null")]
    pub fn remove_names(&self, env: Env) -> Result<Option<Promise<()>>> {
        if nsset::thread::ensure_restored().is_err() {
            return Ok(None);
        }
        let names = self.names.take();
        if names.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return Ok(None);
        }
        work::run_on_files(env, move || remove_all(&names)).map(Some)
    }

    /// Keeps the temporary names after the set is closed.
    #[napi(catch_unwind)]
    pub fn keep_names(&self) {
        let names = mem::take(&mut *self.names.borrow().lock().unwrap_or_else(PoisonError::into_inner));
        names.into_iter().for_each(TemporaryName::keep);
    }

    /// Closes the set; a function that runs inside may call this. Throws after everything is closed if a name could not be
    /// removed.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) -> Result<()> {
        let removed = remove_all(&self.names.take());
        self.set.take();
        if let Some(stay) = self.stay.take() {
            self.ending.replace(stay.end());
        }
        removed.map_err(|error| failure::throw(env, &error))
    }

    /// Resolves when the pid namespace that ended with the set no longer exists. Returns null if there is none. The promise does
    /// not keep the event loop alive.
    #[napi(catch_unwind, ts_return_type = "Promise<void> | null")]
    pub fn ended(&self, env: Env) -> Result<Option<Promise<()>>> {
        let ending = self.ending.borrow();
        let Some(ending) = &*ending else { return Ok(None) };
        let (deferred, promise) = Deferred::new(env, Loop::Free)?;
        ending.when_over(move || deferred.resolve(()));
        Ok(Some(promise))
    }

    /// Returns `[dev, ino]` of the namespace of a kind.
    #[napi(catch_unwind)]
    pub fn stat(&self, env: Env, kind: u32) -> Result<Vec<BigInt>> {
        self.with(env, |set| {
            let id = one(set, kind)?.id();
            Ok(vec![BigInt::from(id.dev), BigInt::from(id.ino)])
        })
    }

    /// Returns the identity of the namespace of a kind: `net:[4026532177]`.
    #[napi(catch_unwind)]
    pub fn id(&self, env: Env, kind: u32) -> Result<String> {
        self.with(env, |set| Ok(one(set, kind)?.to_string()))
    }

    /// Returns the identities of all namespaces, separated by spaces.
    #[napi(catch_unwind)]
    pub fn ids(&self, env: Env) -> Result<String> {
        self.with(env, |set| Ok(set.to_string()))
    }

    /// Returns the number of the descriptor that holds the namespace of a kind.
    #[napi(catch_unwind)]
    pub fn descriptor(&self, env: Env, kind: u32) -> Result<i32> {
        use std::os::fd::{AsFd, AsRawFd};
        self.with(env, |set| Ok(one(set, kind)?.as_fd().as_raw_fd()))
    }

    #[napi(catch_unwind)]
    pub fn equals(&self, env: Env, other: &NativeSet, kinds: u32) -> Result<bool> {
        self.with(env, |set| {
            let other = other.open()?;
            let kinds = match optional_kinds(kinds)? {
                Some(_) => kinds_of(set, kinds)?,
                None => set.kinds().iter().chain(other.kinds().iter()).collect(),
            };
            Ok(set.equals(&other, kinds))
        })
    }

    #[napi(catch_unwind)]
    pub fn owner(&self, env: Env, kind: u32) -> Result<NativeSet> {
        self.with(env, |set| one(set, kind)?.owner().map(nsset::NamespaceSet::of).map(Self::from))
    }

    #[napi(catch_unwind)]
    pub fn parent(&self, env: Env, kind: u32) -> Result<NativeSet> {
        self.with(env, |set| one(set, kind)?.parent().map(nsset::NamespaceSet::of).map(Self::from))
    }

    #[napi(catch_unwind)]
    pub fn dup(&self, env: Env, kinds: u32) -> Result<NativeSet> {
        self.with(env, |set| set.narrow(kinds_of(set, kinds)?).map(Self::from))
    }

    #[napi(catch_unwind)]
    pub fn fds(&self, env: Env, kinds: u32) -> Result<NativeFds> {
        self.with(env, |set| set.fds(kinds_of(set, kinds)?).map(NativeFds::new))
    }

    /// Enters the set permanently.
    #[napi(catch_unwind)]
    pub fn enter(&self, env: Env, kinds: u32) -> Result<()> {
        self.with(env, |set| {
            start::everything(env)?;
            nsset::thread::enter(set, kinds_of(set, kinds)?)
        })
    }
}

/// Removes all names, even if one fails. Returns the first failure.
fn remove_all(names: &Mutex<Vec<TemporaryName>>) -> nsset::Result<()> {
    let names = mem::take(&mut *names.lock().unwrap_or_else(PoisonError::into_inner));
    names.into_iter().map(TemporaryName::remove).fold(Ok(()), nsset::Result::and)
}

/// Returns the namespace of a kind.
fn one(set: &nsset::NamespaceSet, kind: u32) -> nsset::Result<&nsset::Namespace> {
    set.get(only(kind)?).map(AsRef::as_ref)
}

pub fn only(kind: u32) -> nsset::Result<nsset::Kind> {
    optional_kind(kind)?.ok_or_else(|| Error::InvalidArgument("no kind was given".into()))
}

/// Returns the namespaces of the calling thread.
#[napi(catch_unwind)]
pub fn current(env: Env, kinds: u32) -> Result<NativeSet> {
    guard(env, || nsset::current(optional_kinds(kinds)?).map(NativeSet::from))
}

#[napi(catch_unwind)]
pub fn from_pid(env: Env, pid: i32, kinds: u32) -> Result<NativeSet> {
    guard(env, || nsset::from_pid(pid, optional_kinds(kinds)?).map(NativeSet::from))
}

#[napi(catch_unwind)]
pub fn from_thread(env: Env, pid: i32, tid: i32, kinds: u32) -> Result<NativeSet> {
    guard(env, || nsset::from_thread(pid, tid, optional_kinds(kinds)?).map(NativeSet::from))
}

#[napi(catch_unwind)]
pub fn from_directory(env: Env, directory: Text, kinds: u32) -> Result<NativeSet> {
    guard(env, || nsset::from_directory(&path(directory), optional_kinds(kinds)?).map(NativeSet::from))
}

#[napi(catch_unwind)]
pub fn from_path(env: Env, file: Text, expected: u32) -> Result<NativeSet> {
    guard(env, || nsset::from_path(&path(file), optional_kind(expected)?).map(NativeSet::from))
}

#[napi(catch_unwind)]
pub fn from_fd(env: Env, fd: i32, expected: u32) -> Result<NativeSet> {
    guard(env, || nsset::from_fd(fd, optional_kind(expected)?).map(NativeSet::from))
}
