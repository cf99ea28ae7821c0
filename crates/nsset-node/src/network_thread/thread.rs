//! The threads that run jobs of networks: that of networks runs the requests of all networks, creates the netlink sockets inside
//! and waits for their answers; those of forwardings and uplinks move the bytes of connections, and that of captures moves packets, so
//! that no request waits for these.

use std::{
    future::Future,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    task::{Context, Waker},
    thread::Builder,
};

use napi::{Env, bindgen_prelude::ToNapiValue};
use nix::errno::Errno;
use nsset::{Error, Placement, SystemError, thread::HeldNamespaces};
use tokio::{
    runtime::{self, Runtime},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{LocalSet, spawn_local},
};

use crate::{
    deferred::{Deferred, Loop, Promise},
    failure::guard,
};

type Job = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

static NETWORKS: JobThread = JobThread::new("nsset-network");

/// Where the thread of networks waits.
static PLACEMENT: Placement = Placement::new();

/// The thread of forwardings. It starts with its first job.
pub static FORWARDINGS: JobThread = JobThread::new("nsset-forward");

/// The thread of uplinks. It starts with its first job.
pub static UPLINKS: JobThread = JobThread::new("nsset-uplink");

/// The thread of captures. It starts with its first job.
pub static CAPTURES: JobThread = JobThread::new("nsset-capture");

/// A thread that runs jobs. It never ends by itself.
pub struct JobThread {
    name: &'static str,
    /// The queue of the thread's jobs; `None` before the thread has started and after it has ended.
    jobs: Mutex<Option<UnboundedSender<Job>>>,
}

impl JobThread {
    const fn new(name: &'static str) -> Self {
        Self { name, jobs: Mutex::new(None) }
    }

    /// Runs a job on the thread, which is started if necessary: the caller must then be outside. While a job waits, other jobs
    /// run. A panic ends only its own job.
    pub fn run<F: Future<Output = ()> + 'static>(&self, job: impl FnOnce() -> F + Send + 'static) -> nsset::Result<()> {
        let mut jobs = self.jobs();
        let job: Job = Box::new(|| Box::pin(job()));
        let Err(refused) = self.start_for(&mut jobs)?.send(job) else { return Ok(()) };
        // The thread has ended, which it never does by itself.
        *jobs = None;
        let sent = self.start_for(&mut jobs)?.send(refused.0);
        sent.map_err(|_| SystemError::new(Errno::ECANCELED, "request").into())
    }

    fn jobs(&self) -> MutexGuard<'_, Option<UnboundedSender<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_for<'a>(&self, jobs: &'a mut Option<UnboundedSender<Job>>) -> nsset::Result<&'a UnboundedSender<Job>> {
        match jobs {
            Some(jobs) => Ok(jobs),
            None => Ok(jobs.insert(begin(self.name, None)?.0)),
        }
    }
}

/// Starts the thread of networks, once, from a thread that is outside. After a failure the next call tries again.
pub fn start() -> nsset::Result<Starting> {
    let mut jobs = NETWORKS.jobs();
    if jobs.is_some() {
        return Ok(Starting(None));
    }
    let (sender, starting) = begin(NETWORKS.name, Some(&PLACEMENT))?;
    *jobs = Some(sender);
    Ok(starting)
}

/// The started thread, which may not run yet.
#[must_use = "the descriptors that the thread opens must be open when the addon has been loaded"]
pub struct Starting(Option<Receiver<()>>);

impl Starting {
    /// Waits until the thread has opened its descriptors.
    pub fn finish(self) {
        let _ = self.0.map(|is_ready| is_ready.recv());
    }
}

/// Runs a job on the thread of networks.
pub fn run<F: Future<Output = ()> + 'static>(job: impl FnOnce() -> F + Send + 'static) -> nsset::Result<()> {
    NETWORKS.run(job)
}

/// Like [`promise`], on the CPU of the calling thread if the thread of networks waits: a caller that has nothing else to do gets
/// the result sooner.
pub fn promise_soon<T, F>(
    env: Env,
    keeps: Loop,
    job: impl FnOnce(Deferred<T>) -> F + Send + 'static,
) -> napi::Result<Promise<T>>
where
    T: ToNapiValue + Send + 'static,
    F: Future<Output = ()> + 'static,
{
    PLACEMENT.bring_here_if_brief();
    promise(env, keeps, job)
}

/// Runs a job on the thread of networks. The job settles the promise; if it panics, the promise is rejected.
pub fn promise<T, F>(
    env: Env,
    keeps: Loop,
    job: impl FnOnce(Deferred<T>) -> F + Send + 'static,
) -> napi::Result<Promise<T>>
where
    T: ToNapiValue + Send + 'static,
    F: Future<Output = ()> + 'static,
{
    guard(env, || NETWORKS.start_for(&mut NETWORKS.jobs()).map(drop))?;
    let (deferred, promise) = Deferred::new(env, keeps)?;
    // If the job cannot run, it is dropped, which rejects the promise.
    let _ = run(move || job(deferred));
    Ok(promise)
}

fn begin(name: &str, placement: Option<&'static Placement>) -> nsset::Result<(UnboundedSender<Job>, Starting)> {
    nsset::outside::ensure()?;
    let (sender, receiver) = unbounded_channel();
    let (ready, is_ready) = channel();
    // Without /proc this fails. The first job that goes inside tries again, and reports the error.
    let held = nsset::thread::held_namespaces().ok();
    let mut builder = runtime::Builder::new_current_thread();
    if let Some(placement) = placement {
        builder.on_thread_park(|| placement.wait_here()).on_thread_unpark(|| placement.resume());
    }
    let runtime = builder.enable_io().enable_time().build().map_err(|error| failed(&error, "epoll_create1"))?;
    let thread = Builder::new().name(name.into()).stack_size(512 * 1024);
    let thread = thread.spawn(move || serve(&runtime, held, ready, receiver));
    thread.map_err(|error| failed(&error, "pthread_create"))?;
    Ok((sender, Starting(Some(is_ready))))
}

/// Runs the jobs. They must not start blocking threads of tokio: a thread started while this one is inside would stay inside.
fn serve(runtime: &Runtime, held: Option<HeldNamespaces>, ready: Sender<()>, mut jobs: UnboundedReceiver<Job>) {
    let _ = held.map(HeldNamespaces::remember);
    drop(ready);
    LocalSet::new().block_on(runtime, async {
        while let Some(job) = jobs.recv().await {
            begin_job(job);
        }
    });
}

/// Runs a job until it waits. Most jobs never wait, because the kernel answers at once: only those that do become tasks.
fn begin_job(job: Job) {
    let begun = catch_unwind(AssertUnwindSafe(|| {
        let mut work = job();
        let is_done = work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        (!is_done).then_some(work)
    }));
    // A panic ends only its own job.
    if let Ok(Some(work)) = begun {
        spawn_local(work);
    }
}

fn failed(error: &io::Error, syscall: &'static str) -> Error {
    SystemError::new(error.raw_os_error().map_or(Errno::EIO, Errno::from_raw), syscall).into()
}
