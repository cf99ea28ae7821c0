//! A small file as it is inside, read on libuv's pool: whoever is inside may have that take long.

use napi::{
    Env, Result,
    bindgen_prelude::{AsyncTask, Buffer},
};
use napi_derive::napi;

use crate::{
    convert::{Text, path},
    set::NativeSet,
    work::{self, Work},
};

#[napi]
impl NativeSet {
    /// What a regular file of at most 64 KiB holds, as the set's mount namespace has it.
    #[napi(catch_unwind, ts_return_type = "Promise<Buffer>")]
    pub fn read_file(&self, env: Env, file: Text) -> Result<AsyncTask<Work<Vec<u8>, Buffer>>> {
        self.with(env, |set| {
            let (set, path) = (set.clone(), path(file)?);
            work::run(env, move || nsset::read_file(&set, set.kinds(), &path))
        })
    }
}
