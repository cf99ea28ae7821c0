//! Network namespaces by name.

use napi::{Env, Result};
use napi_derive::napi;
use nsset::{Kind, netns};

use crate::{
    convert::{Text, path},
    failure::guard,
    sets::set::NativeSet,
};

#[napi]
impl NativeSet {
    /// Gives the set's network namespace a name; a temporary one goes when the set is closed.
    #[napi(catch_unwind)]
    pub fn attach_name(&self, env: Env, directory: Text, name: String, temporary: bool) -> Result<()> {
        self.with(env, |set| {
            let (directory, namespace) = (path(directory)?, set.get(Kind::Net)?);
            if temporary {
                self.keep_name(netns::TemporaryName::attach(&directory, &name, namespace)?);
                return Ok(());
            }
            netns::attach(&directory, &name, namespace)
        })
    }
}

/// Where iproute2 has the names.
#[napi(catch_unwind)]
pub fn netns_directory() -> String {
    netns::directory().to_string_lossy().into_owned()
}

#[napi(catch_unwind)]
pub fn open_name(env: Env, directory: Text, name: String) -> Result<NativeSet> {
    guard(env, || nsset::from_path(&netns::path_of(&path(directory)?, &name)?, Some(Kind::Net)).map(NativeSet::new))
}

#[napi(catch_unwind)]
pub fn remove_name(env: Env, directory: Text, name: String) -> Result<()> {
    guard(env, || netns::remove(&path(directory)?, &name))
}

#[napi(catch_unwind)]
pub fn list_names(env: Env, directory: Text) -> Result<Vec<String>> {
    guard(env, || netns::list(&path(directory)?))
}
