//! Mounts namespaces of a set on files, and unmounts them.

use std::path::PathBuf;

use napi::{Env, Result};
use napi_derive::napi;
use nsset::Kind;

use crate::{
    convert::{Text, path},
    deferred::Promise,
    failure::guard,
    sets::set::{NativeSet, only},
    sets::work,
};

#[napi]
impl NativeSet {
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn mount_into_directory(&self, env: Env, directory: Text) -> Result<Promise<()>> {
        let (set, directory) = (self.with(env, |set| Ok(set.clone()))?, path(directory));
        work::run_on_files(env, move || nsset::mount_into_directory(&set, &directory))
    }

    #[napi(catch_unwind)]
    pub fn mount_into_directory_sync(&self, env: Env, directory: Text) -> Result<()> {
        self.with(env, |set| nsset::mount_into_directory(set, &path(directory)))
    }

    /// Mounts namespaces on files. `targets` has `[flag of the kind, file]` entries.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn mount_onto_files(&self, env: Env, targets: Vec<(u32, Text)>) -> Result<Promise<()>> {
        let (set, targets) = self.with(env, |set| Ok((set.clone(), files_of(targets)?)))?;
        work::run_on_files(env, move || nsset::mount_onto_files(&set, &targets))
    }

    #[napi(catch_unwind)]
    pub fn mount_onto_files_sync(&self, env: Env, targets: Vec<(u32, Text)>) -> Result<()> {
        self.with(env, |set| nsset::mount_onto_files(set, &files_of(targets)?))
    }
}

fn files_of(targets: Vec<(u32, Text)>) -> nsset::Result<Vec<(Kind, PathBuf)>> {
    targets.into_iter().map(|(kind, file)| Ok((only(kind)?, path(file)))).collect()
}

/// Unmounts a namespace that `mount` mounted.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn unmount(env: Env, target: Text) -> Result<Promise<()>> {
    let target = path(target);
    work::run_on_files(env, move || nsset::unmount(&target))
}

#[napi(catch_unwind)]
pub fn unmount_sync(env: Env, target: Text) -> Result<()> {
    guard(env, || nsset::unmount(&path(target)))
}
