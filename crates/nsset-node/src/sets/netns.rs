//! Network namespaces by name.

use std::{
    path::{Path, PathBuf},
    sync::PoisonError,
};

use napi::{Env, Result};
use napi_derive::napi;
use nsset::{Cancel, Error, Kind, Kinds, NamespaceSet, UnshareOptions, netns};

use crate::{
    convert::{Text, path},
    deferred::{Deferred, Loop, Promise},
    failure::guard,
    sets::canceller::{NativeCanceller, Turn},
    sets::set::NativeSet,
    sets::work::{self, Place, caught},
};

#[napi]
impl NativeSet {
    /// Gives the set's network namespace a name. A temporary name is removed when the set is closed.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn attach_name(&self, env: Env, directory: Option<Text>, name: String, temporary: bool) -> Result<Promise<()>> {
        let place = place_of(directory.as_ref());
        work::run_at(place, env, guard(env, || self.attaching(directory, name, temporary))?)
    }

    #[napi(catch_unwind)]
    pub fn attach_name_sync(&self, env: Env, directory: Option<Text>, name: String, temporary: bool) -> Result<()> {
        guard(env, || self.attaching(directory, name, temporary)?())
    }

    fn attaching(
        &self,
        directory: Option<Text>,
        name: String,
        temporary: bool,
    ) -> nsset::Result<impl FnOnce() -> nsset::Result<()> + Send + 'static> {
        let (set, names, directory) = (self.open()?.clone(), self.names(), directory.map(path));
        set.get(Kind::Net)?;
        Ok(move || {
            let (directory, namespace) = (directory_of(directory), set.get(Kind::Net)?);
            if !temporary {
                return netns::attach(&directory, &name, namespace);
            }
            let attached = netns::TemporaryName::attach(&directory, &name, namespace)?;
            match names.upgrade() {
                Some(names) => names.lock().unwrap_or_else(PoisonError::into_inner).push(attached),
                // The set was closed while the name was created.
                None => return attached.remove().and(Err(Error::Closed)),
            }
            Ok(())
        })
    }
}

/// Returns the directory where iproute2 keeps the names of networks.
#[napi(catch_unwind)]
pub fn netns_directory() -> String {
    netns::directory().to_string_lossy().into_owned()
}

fn directory_of(given: Option<PathBuf>) -> PathBuf {
    given.unwrap_or_else(|| netns::directory().into())
}

/// The default directory is in memory, and answers at once. Any other one may be in a file system that does not.
fn place_of(directory: Option<&Text>) -> Place {
    if directory.is_none() { Place::Home } else { Place::Files }
}

/// Creates a network namespace and gives it a name, in one piece of work on one thread. `canceller` cancels it. A temporary name
/// is removed when the set is closed.
#[napi(catch_unwind, ts_return_type = "Promise<NativeSet>")]
pub fn create_name(
    env: Env,
    directory: Option<Text>,
    name: String,
    loopback: bool,
    temporary: bool,
    canceller: Option<&NativeCanceller>,
) -> Result<Promise<NativeSet>> {
    guard(env, || Ok(()))?;
    let (deferred, promise) = Deferred::new(env, Loop::Held)?;
    let (turn, place) = (Turn::of(&deferred), place_of(directory.as_ref()));
    let (directory, cancel) = (directory.map(path), canceller.and_then(NativeCanceller::cancel));
    if let Some(canceller) = canceller {
        canceller.end_waiting(turn.clone());
    }
    let job = move || {
        // Until the namespace exists, an abort ends the wait at once. After that it is known only when the name is there or not.
        let made = if turn.is_over() { Err(Error::Aborted) } else { caught(|| create(loopback, cancel.as_ref())) };
        turn.run(move || give_name(made?, &directory_of(directory), &name, temporary))
    };
    work::begin(place, job, move |error| deferred.settle(Err(error)));
    Ok(promise)
}

#[napi(catch_unwind)]
pub fn create_name_sync(
    env: Env,
    directory: Option<Text>,
    name: String,
    loopback: bool,
    temporary: bool,
) -> Result<NativeSet> {
    guard(env, || give_name(create(loopback, None)?, &directory_of(directory.map(path)), &name, temporary))
}

fn create(loopback: bool, cancel: Option<&Cancel>) -> nsset::Result<NamespaceSet> {
    let options = UnshareOptions { loopback, ..UnshareOptions::default() };
    nsset::unshare(None, Kinds::NONE.with(Kind::Net), &options, cancel)
}

fn give_name(made: NamespaceSet, directory: &Path, name: &str, temporary: bool) -> nsset::Result<NativeSet> {
    let namespace = made.get(Kind::Net)?;
    if !temporary {
        netns::attach(directory, name, namespace)?;
        return Ok(made.into());
    }
    let attached = netns::TemporaryName::attach(directory, name, namespace)?;
    let set = NativeSet::from(made);
    set.hold_name(attached);
    Ok(set)
}

#[napi(catch_unwind)]
pub fn open_name(env: Env, directory: Option<Text>, name: String) -> Result<NativeSet> {
    guard(env, || nsset::from_path(&directory_of(directory.map(path)).join(name), Some(Kind::Net)).map(NativeSet::from))
}

#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn remove_name(env: Env, directory: Option<Text>, name: String) -> Result<Promise<()>> {
    let (place, directory) = (place_of(directory.as_ref()), directory.map(path));
    work::run_at(place, env, move || netns::remove(&directory_of(directory), &name))
}

#[napi(catch_unwind)]
pub fn remove_name_sync(env: Env, directory: Option<Text>, name: String) -> Result<()> {
    guard(env, || netns::remove(&directory_of(directory.map(path)), &name))
}

#[napi(catch_unwind, ts_return_type = "Promise<Array<string>>")]
pub fn list_names(env: Env, directory: Option<Text>) -> Result<Promise<Vec<String>>> {
    let directory = directory.map(path);
    work::run_on_files(env, move || netns::list(&directory_of(directory)))
}

#[napi(catch_unwind)]
pub fn list_names_sync(env: Env, directory: Option<Text>) -> Result<Vec<String>> {
    guard(env, || netns::list(&directory_of(directory.map(path))))
}
