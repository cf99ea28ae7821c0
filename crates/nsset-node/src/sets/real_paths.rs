//! Where paths lead to: all of them in one job, because a job for each path takes longer than its system calls.

use napi::{
    Env, Result,
    bindgen_prelude::{Buffer, Either},
};
use napi_derive::napi;
use std::{os::unix::ffi::OsStringExt, path::PathBuf};

use crate::{
    convert::{Text, path},
    deferred::Promise,
    sets::work,
};

/// Resolves with the real path of each, as libuv's pool sees the files: null for a path that does not exist.
#[napi(catch_unwind, ts_return_type = "Promise<Array<string | Buffer | null>>")]
pub fn real_paths(env: Env, paths: Vec<Text>) -> Result<Promise<Vec<Option<Text>>>> {
    let paths: Vec<PathBuf> = paths.into_iter().map(path).collect();
    work::run(env, move || {
        let real = paths.iter().map(|path| nsset::real_path(path).map(|real| real.map(text)));
        real.collect()
    })
}

/// Text, unless the path is no UTF-8.
fn text(path: PathBuf) -> Text {
    path.into_os_string().into_string().map_or_else(|bytes| Either::B(Buffer::from(bytes.into_vec())), Either::A)
}
