//! Network namespaces by name.

use std::{path::PathBuf, sync::PoisonError};

use napi::{Env, Result};
use napi_derive::napi;
use nsset::{Error, Kind, netns};

use crate::{
    convert::{Text, path},
    deferred::Promise,
    failure::guard,
    sets::set::NativeSet,
    sets::work,
};

#[napi]
impl NativeSet {
    /// Gives the set's network namespace a name. A temporary name is removed when the set is closed.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn attach_name(&self, env: Env, directory: Option<Text>, name: String, temporary: bool) -> Result<Promise<()>> {
        work::run_on_files(env, guard(env, || self.attaching(directory, name, temporary))?)
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

#[napi(catch_unwind)]
pub fn open_name(env: Env, directory: Option<Text>, name: String) -> Result<NativeSet> {
    guard(env, || nsset::from_path(&directory_of(directory.map(path)).join(name), Some(Kind::Net)).map(NativeSet::from))
}

#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn remove_name(env: Env, directory: Option<Text>, name: String) -> Result<Promise<()>> {
    let directory = directory.map(path);
    work::run_on_files(env, move || netns::remove(&directory_of(directory), &name))
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
