//! Runs blocking work outside the thread of JavaScript, with a promise for its result.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread::Builder,
};

use napi::{
    Env, Result, Task,
    bindgen_prelude::{AsyncTask, PromiseRaw, ToNapiValue, TypeName},
};
use nix::errno::Errno;
use nsset::SystemError;

use crate::{
    deferred::{Deferred, Loop, Promise},
    failure::{self, guard},
    loading::pool,
    network_thread::{thread, turns::Line, waiting},
};

type Job<T> = Box<dyn FnOnce() -> nsset::Result<T> + Send>;

/// Runs a job on libuv's pool, whose threads are outside. Starts the pool if necessary.
pub fn run<T>(env: Env, job: impl FnOnce() -> nsset::Result<T> + Send + 'static) -> Result<Promise<T>>
where
    T: ToNapiValue + TypeName + Send + 'static,
{
    guard(env, || pool::start(env))?;
    let task = AsyncTask::new(OnPool { job: Some(Box::new(job)), failure: None });
    // SAFETY: the environment is the calling thread's.
    let promise = unsafe { AsyncTask::to_napi_value(env.raw(), task) }?;
    Ok(PromiseRaw::new(env.raw(), promise))
}

/// Runs a job with the calling thread's view of the file system. The job does not run on libuv's pool, because a file system that
/// does not answer would block other work there, and the end of the process.
pub fn run_on_files<T>(env: Env, job: impl FnOnce() -> nsset::Result<T> + Send + 'static) -> Result<Promise<T>>
where
    T: ToNapiValue + Send + 'static,
{
    guard(env, || Ok(()))?;
    if !nsset::outside::has_mounts_of_outside() {
        return run_from_here(env, job);
    }
    thread::promise(env, Loop::Held, move |deferred| async move {
        let settle = deferred.clone();
        let work = move || {
            settle.settle(job());
            Ok(())
        };
        if let Err(error) = waiting::run(Line::new(), work).await {
            deferred.settle(Err(error));
        }
    })
}

/// Like `run_on_files`, for a calling thread in another mount namespace. It starts a thread, which has the same view and ends with
/// the job.
fn run_from_here<T>(env: Env, job: impl FnOnce() -> nsset::Result<T> + Send + 'static) -> Result<Promise<T>>
where
    T: ToNapiValue + Send + 'static,
{
    let (deferred, promise) = Deferred::new(env, Loop::Held)?;
    let settle = deferred.clone();
    let thread = Builder::new().name("nsset-files".into()).stack_size(256 * 1024);
    if let Err(error) = thread.spawn(move || settle.settle(caught(job))) {
        deferred.settle(Err(waiting::not_started(&error)));
    }
    Ok(promise)
}

/// A job of libuv's pool. A panic in it rejects the promise.
struct OnPool<T> {
    /// Taken out to run, so that it is dropped before the promise is settled.
    job: Option<Job<T>>,
    /// The error from the thread of the pool. The thread of JavaScript converts it to an object.
    failure: Option<nsset::Error>,
}

impl<T> Task for OnPool<T>
where
    T: ToNapiValue + TypeName + Send + 'static,
{
    type Output = T;
    type JsValue = T;

    fn compute(&mut self) -> Result<T> {
        let outcome = self.job.take().map_or_else(|| Err(interrupted()), caught);
        outcome.map_err(|error| {
            let reason = error.to_string();
            self.failure = Some(error);
            napi::Error::from_reason(reason)
        })
    }

    fn resolve(&mut self, _env: Env, value: T) -> Result<T> {
        Ok(value)
    }

    fn reject(&mut self, env: Env, error: napi::Error) -> Result<T> {
        Err(self.failure.take().map_or(error, |failure| failure::rejection(env, &failure)))
    }
}

/// The outcome of a job, or an error if it panics.
pub fn caught<T>(job: impl FnOnce() -> nsset::Result<T>) -> nsset::Result<T> {
    catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|_| Err(interrupted()))
}

/// The error of a job that has panicked.
fn interrupted() -> nsset::Error {
    SystemError::new(Errno::ECANCELED, "request").into()
}
