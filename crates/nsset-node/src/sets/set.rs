//! A set of namespaces, as the face holds it.

use std::cell::{OnceCell, Ref, RefCell};

use napi::{Env, Result, bindgen_prelude::BigInt, threadsafe_function::ThreadsafeFunctionCallMode};
use napi_derive::napi;
use nsset::{Ending, Error, Stay, netns::TemporaryName, reaper::Exit};

use crate::{
    convert::{Text, kinds_of, optional_kind, optional_kinds, path},
    environment,
    exit_report::ExitReport,
    failure::{self, guard},
    held_open::HeldOpen,
    loading::start,
    network_thread::turns::{Line, Lines},
    sets::fd_set::NativeFds,
};

/// The native part of a `NamespaceSet`; `None` when it is closed.
#[napi]
pub struct NativeSet {
    set: RefCell<Option<nsset::NamespaceSet>>,
    /// Names that go when the set is closed, or dropped.
    names: RefCell<Vec<TemporaryName>>,
    /// Until it is closed, where it keeps a pid namespace alive.
    stay: RefCell<Option<Stay>>,
    /// Once it is closed, where a pid namespace ended with it.
    ending: RefCell<Option<Ending>>,
    /// Where what is made below it waits for those inside.
    lines: OnceCell<Lines>,
}

impl From<HeldOpen> for NativeSet {
    fn from(HeldOpen { set, stay }: HeldOpen) -> Self {
        let (set, stay) = (RefCell::new(Some(set)), RefCell::new(stay));
        Self { set, names: RefCell::default(), stay, ending: RefCell::default(), lines: OnceCell::new() }
    }
}

impl NativeSet {
    pub fn new(set: nsset::NamespaceSet) -> Self {
        HeldOpen::from(set).into()
    }

    /// The set, if it is still open.
    pub fn open(&self) -> nsset::Result<Ref<'_, nsset::NamespaceSet>> {
        Ref::filter_map(self.set.borrow(), Option::as_ref).map_err(|_| Error::Closed)
    }

    /// All of them; what comes back is the first failure.
    fn remove_names(&self) -> nsset::Result<()> {
        self.names.take().into_iter().map(TemporaryName::remove).fold(Ok(()), nsset::Result::and)
    }

    /// Gives the set a name that goes with it.
    pub fn keep_name(&self, name: TemporaryName) {
        self.names.borrow_mut().push(name);
    }

    /// A line for work that those inside may hold up.
    pub fn line(&self) -> Line {
        self.lines.get_or_init(Lines::new).next()
    }

    /// What keeps its pid namespace alive.
    pub fn stay(&self) -> Option<Stay> {
        self.open().ok().and_then(|set| set.stay())
    }

    /// Runs a call over the open set.
    pub fn with<T>(&self, env: Env, call: impl FnOnce(&nsset::NamespaceSet) -> nsset::Result<T>) -> Result<T> {
        guard(env, || call(&*self.open()?))
    }
}

#[napi]
impl NativeSet {
    /// The mask of the kinds.
    #[napi(catch_unwind)]
    pub fn flags(&self, env: Env) -> Result<u32> {
        self.open().map(|set| set.kinds().flags()).map_err(|error| failure::throw(env, &error))
    }

    #[napi(catch_unwind, getter)]
    pub fn closed(&self) -> bool {
        self.set.borrow().is_none()
    }

    /// Shared, since the set may be closed from within a function that runs inside. Throws, when all is closed, where a name
    /// could not be removed.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) -> Result<()> {
        let removed = self.remove_names();
        self.set.take();
        if let Some(stay) = self.stay.take() {
            self.ending.replace(stay.end());
        }
        removed.map_err(|error| failure::throw(env, &error))
    }

    /// Reports, by this number, when the pid namespace is gone that ended with the set; whether there is one. What the
    /// report says of the exit is without meaning.
    #[napi(catch_unwind)]
    pub fn report_end(&self, env: Env, number: u32) -> Result<bool> {
        let line = environment::of(env)?.exit_line.clone();
        let ending = self.ending.borrow();
        if let Some(ending) = &*ending {
            ending.when_over(move || {
                line.call(ExitReport::new(number, Exit::Unknown), ThreadsafeFunctionCallMode::NonBlocking);
            });
        }
        Ok(ending.is_some())
    }

    /// `[dev, ino]` of a kind.
    #[napi(catch_unwind)]
    pub fn stat(&self, env: Env, kind: u32) -> Result<Vec<BigInt>> {
        self.with(env, |set| {
            let id = one(set, kind)?.id();
            Ok(vec![BigInt::from(id.dev), BigInt::from(id.ino)])
        })
    }

    /// `net:[4026532177]`.
    #[napi(catch_unwind)]
    pub fn id(&self, env: Env, kind: u32) -> Result<String> {
        self.with(env, |set| Ok(one(set, kind)?.to_string()))
    }

    /// The identities of all, separated by spaces.
    #[napi(catch_unwind)]
    pub fn ids(&self, env: Env) -> Result<String> {
        self.with(env, |set| Ok(set.to_string()))
    }

    /// The number of the descriptor that holds a kind.
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
        self.with(env, |set| one(set, kind)?.owner().map(nsset::NamespaceSet::of).map(Self::new))
    }

    #[napi(catch_unwind)]
    pub fn parent(&self, env: Env, kind: u32) -> Result<NativeSet> {
        self.with(env, |set| one(set, kind)?.parent().map(nsset::NamespaceSet::of).map(Self::new))
    }

    #[napi(catch_unwind)]
    pub fn dup(&self, env: Env, kinds: u32) -> Result<NativeSet> {
        self.with(env, |set| set.narrow(kinds_of(set, kinds)?).map(Self::new))
    }

    #[napi(catch_unwind)]
    pub fn fds(&self, env: Env, kinds: u32) -> Result<NativeFds> {
        self.with(env, |set| set.fds(kinds_of(set, kinds)?).map(NativeFds::new))
    }

    #[napi(catch_unwind)]
    pub fn mount_into_directory(&self, env: Env, directory: Text) -> Result<()> {
        self.with(env, |set| nsset::mount_into_directory(set, &path(directory)?))
    }

    /// Targets as `[flag of the kind, file]`.
    #[napi(catch_unwind)]
    pub fn mount_onto_files(&self, env: Env, targets: Vec<(u32, Text)>) -> Result<()> {
        self.with(env, |set| {
            let targets: nsset::Result<Vec<_>> =
                targets.into_iter().map(|(kind, file)| Ok((only(kind)?, path(file)?))).collect();
            nsset::mount_onto_files(set, &targets?)
        })
    }

    /// Enters for good.
    #[napi(catch_unwind)]
    pub fn enter(&self, env: Env, kinds: u32) -> Result<()> {
        self.with(env, |set| {
            start::everything(env)?;
            nsset::thread::enter(set, kinds_of(set, kinds)?)
        })
    }
}

/// The namespace of this kind.
fn one(set: &nsset::NamespaceSet, kind: u32) -> nsset::Result<&nsset::Namespace> {
    set.get(only(kind)?).map(AsRef::as_ref)
}

fn only(kind: u32) -> nsset::Result<nsset::Kind> {
    optional_kind(kind)?.ok_or_else(|| Error::InvalidArgument("no kind was named".into()))
}

/// The namespaces of the calling thread.
#[napi(catch_unwind)]
pub fn current(env: Env, kinds: u32) -> Result<NativeSet> {
    guard(env, || nsset::current(optional_kinds(kinds)?).map(NativeSet::new))
}

#[napi(catch_unwind)]
pub fn from_pid(env: Env, pid: i32, kinds: u32) -> Result<NativeSet> {
    guard(env, || nsset::from_pid(pid, optional_kinds(kinds)?).map(NativeSet::new))
}

#[napi(catch_unwind)]
pub fn from_thread(env: Env, pid: i32, tid: i32, kinds: u32) -> Result<NativeSet> {
    guard(env, || nsset::from_thread(pid, tid, optional_kinds(kinds)?).map(NativeSet::new))
}

#[napi(catch_unwind)]
pub fn from_directory(env: Env, directory: Text, kinds: u32) -> Result<NativeSet> {
    guard(env, || nsset::from_directory(&path(directory)?, optional_kinds(kinds)?).map(NativeSet::new))
}

#[napi(catch_unwind)]
pub fn from_path(env: Env, file: Text, expected: u32) -> Result<NativeSet> {
    guard(env, || nsset::from_path(&path(file)?, optional_kind(expected)?).map(NativeSet::new))
}

#[napi(catch_unwind)]
pub fn from_fd(env: Env, fd: i32, expected: u32) -> Result<NativeSet> {
    guard(env, || nsset::from_fd(fd, optional_kind(expected)?).map(NativeSet::new))
}

/// Unmounts what `mount` mounted.
#[napi(catch_unwind)]
pub fn unmount(env: Env, target: Text) -> Result<()> {
    guard(env, || nsset::unmount(&path(target)?))
}
