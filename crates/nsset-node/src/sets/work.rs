//! Work on libuv's pool, as a promise.

use std::{
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
};

use napi::{
    Env, Result, Task,
    bindgen_prelude::{AsyncTask, ToNapiValue, TypeName},
};
use nix::errno::Errno;
use nsset::SystemError;

use crate::{failure, loading::pool};

type Job<T> = Box<dyn FnOnce() -> nsset::Result<T> + Send>;

/// A job, and what becomes of it. A panic in it rejects the promise.
pub struct Work<T, J> {
    /// Taken, so that nothing is held any more once the promise is settled.
    job: Option<Job<T>>,
    /// Kept from the pool's thread to the JS thread, where it becomes an object.
    failure: Option<nsset::Error>,
    value: PhantomData<fn() -> J>,
}

/// Has a job done on the pool, which is started if need be.
pub fn run<T, J>(
    env: Env,
    job: impl FnOnce() -> nsset::Result<T> + Send + 'static,
) -> nsset::Result<AsyncTask<Work<T, J>>>
where
    T: Send + Sized + 'static,
    J: From<T> + ToNapiValue + TypeName + 'static,
{
    pool::start(env)?;
    Ok(AsyncTask::new(Work { job: Some(Box::new(job)), failure: None, value: PhantomData }))
}

impl<T, J> Task for Work<T, J>
where
    T: Send + Sized + 'static,
    J: From<T> + ToNapiValue + TypeName + 'static,
{
    type Output = T;
    type JsValue = J;

    fn compute(&mut self) -> Result<T> {
        let job = self.job.take();
        let outcome = job.map_or_else(
            || Err(interrupted()),
            |job| catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|_| Err(interrupted())),
        );
        outcome.map_err(|error| {
            let reason = error.to_string();
            self.failure = Some(error);
            napi::Error::from_reason(reason)
        })
    }

    fn resolve(&mut self, _env: Env, value: T) -> Result<J> {
        Ok(value.into())
    }

    fn reject(&mut self, env: Env, error: napi::Error) -> Result<J> {
        Err(self.failure.take().map_or(error, |failure| failure::rejection(env, &failure)))
    }
}

/// The job has panicked.
fn interrupted() -> nsset::Error {
    SystemError::new(Errno::ECANCELED, "uv_queue_work").into()
}
