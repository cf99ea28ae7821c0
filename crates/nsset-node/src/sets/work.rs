//! Runs blocking work outside the thread of JavaScript, with a promise for its result.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread::Builder,
    time::Duration,
};

use napi::{
    Env, Result, Task,
    bindgen_prelude::{AsyncTask, PromiseRaw, ToNapiValue, TypeName},
};
use nix::errno::Errno;
use nsset::{SystemError, home_thread};
use tokio::time::sleep;

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
    run_at(Place::Files, env, job)
}

/// Runs a job at a place, with the calling thread's view of the file system.
pub fn run_at<T>(place: Place, env: Env, job: impl FnOnce() -> nsset::Result<T> + Send + 'static) -> Result<Promise<T>>
where
    T: ToNapiValue + Send + 'static,
{
    guard(env, || Ok(()))?;
    let (deferred, promise) = Deferred::new(env, Loop::Held)?;
    let settle = deferred.clone();
    let job = move || {
        let outcome = caught(job);
        move || settle.settle(outcome)
    };
    begin(place, job, move |error| deferred.settle(Err(error)));
    Ok(promise)
}

/// Where work on files runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the home thread, without another switch of threads.
    Home,
    /// On threads that a file system may block.
    Files,
}

/// Begins a job with the calling thread's view of the file system. The job returns what settles its promise. `refused` is called
/// if the job cannot run.
pub fn begin<S: FnOnce() + Send + 'static>(
    place: Place,
    job: impl FnOnce() -> S + Send + 'static,
    refused: impl FnOnce(nsset::Error) + Clone + Send + 'static,
) {
    let begun = match place {
        _ if !nsset::outside::has_mounts_of_outside() => begin_here(job),
        Place::Home => begin_at_home(job),
        Place::Files => begin_on_line(job, refused.clone()),
    };
    begun.unwrap_or_else(refused);
}

/// Starts a thread, which has the calling thread's view of the file system and ends with the job.
fn begin_here<S: FnOnce()>(job: impl FnOnce() -> S + Send + 'static) -> nsset::Result<()> {
    let thread = Builder::new().name("nsset-files".into()).stack_size(256 * 1024);
    thread.spawn(move || job()()).map(drop).map_err(|error| waiting::not_started(&error))
}

fn begin_at_home<S: FnOnce() + Send + 'static>(job: impl FnOnce() -> S + Send + 'static) -> nsset::Result<()> {
    if home_thread::queue(job)? {
        return Ok(());
    }
    thread::run(|| async {
        let mut pause = home_thread::HELD_UP;
        loop {
            sleep(pause).await;
            if !home_thread::relieve() {
                break;
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    })
}

/// The pause grows up to this while all threads are busy.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

fn begin_on_line<S: FnOnce()>(
    job: impl FnOnce() -> S + Send + 'static,
    refused: impl FnOnce(nsset::Error) + Send + 'static,
) -> nsset::Result<()> {
    thread::run(move || async move {
        let work = move || {
            job()();
            Ok(())
        };
        waiting::run(Line::new(), work).await.unwrap_or_else(refused);
    })
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
