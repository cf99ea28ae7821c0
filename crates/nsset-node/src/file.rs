//! A small file as it is inside, read on libuv's pool: whoever is inside may have that take long.

use std::path::PathBuf;

use napi::{
    Env, Result, Task,
    bindgen_prelude::{AsyncTask, Buffer},
};
use napi_derive::napi;
use nsset::NamespaceSet;

use crate::{
    convert::{Text, path},
    failure,
    set::NativeSet,
};

#[napi]
impl NativeSet {
    /// What a regular file of at most 64 KiB holds, as the set's mount namespace has it.
    #[napi(ts_return_type = "Promise<Buffer>")]
    pub fn read_file(&self, env: Env, file: Text) -> Result<AsyncTask<ReadFile>> {
        self.with(env, |set| Ok(AsyncTask::new(ReadFile { set: set.clone(), path: path(file)?, failure: None })))
    }
}

pub struct ReadFile {
    set: NamespaceSet,
    path: PathBuf,
    /// Kept from the pool's thread to the JS thread, where it becomes an object.
    failure: Option<nsset::Error>,
}

impl Task for ReadFile {
    type Output = Vec<u8>;
    type JsValue = Buffer;

    fn compute(&mut self) -> Result<Vec<u8>> {
        // Taken, so that nothing is held any more once the promise is settled.
        let set = std::mem::take(&mut self.set);
        nsset::read_file(&set, set.kinds(), &self.path).map_err(|error| {
            let reason = error.to_string();
            self.failure = Some(error);
            napi::Error::from_reason(reason)
        })
    }

    fn resolve(&mut self, _env: Env, content: Vec<u8>) -> Result<Buffer> {
        Ok(content.into())
    }

    fn reject(&mut self, env: Env, error: napi::Error) -> Result<Buffer> {
        Err(self.failure.take().map_or(error, |failure| failure::rejection(env, &failure)))
    }
}
