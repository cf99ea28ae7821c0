//! libuv's pool, which starts all of its threads at the first piece of work, and ends the process where it cannot.

use std::{
    env,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Builder, JoinHandle},
    time::{Duration, Instant},
};

use napi::{Env, Result, Task};
use nix::{
    errno::Errno,
    unistd::{Pid, getpid, gettid},
};
use nsset::SystemError;

/// As libuv has it: threads, and the most that it starts.
const DEFAULT_THREADS: usize = 4;
const MOST_THREADS: usize = 1024;
/// Of one thread of the pool, in bytes.
const STACK: usize = 8 << 20;
/// More than the pool needs: others may start threads at the same time.
const SPARE: usize = 2;
/// How long the kernel may take to count off a thread that has ended.
const PATIENCE: Duration = Duration::from_millis(200);

static HAS_STARTED: AtomicBool = AtomicBool::new(false);

/// Starts the pool, once, from a thread that is at home: at the latest before the first is inside. A failure is none for
/// ever: the next call tries again.
pub fn start(env: Env) -> nsset::Result<()> {
    static TURN: Mutex<()> = Mutex::new(());
    if HAS_STARTED.load(Ordering::Acquire) {
        return Ok(());
    }
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if HAS_STARTED.load(Ordering::Acquire) {
        return Ok(());
    }
    nsset::home::ensure()?;
    try_out(threads_of_the_pool())?;
    let queued = env.spawn(Nothing);
    queued.map_err(|_| SystemError::new(Errno::ENOMEM, "uv_queue_work"))?;
    HAS_STARTED.store(true, Ordering::Release);
    Ok(())
}

/// `UV_THREADPOOL_SIZE`, read as libuv does, which reads it once.
fn threads_of_the_pool() -> usize {
    let Some(text) = env::var_os("UV_THREADPOOL_SIZE") else { return DEFAULT_THREADS };
    let text = text.to_string_lossy();
    let text = text.trim_start();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let digits = digits.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
    // What is no number is 0, a negative one is huge.
    let fallback = if text.starts_with('-') || !digits.is_empty() { MOST_THREADS } else { 0 };
    digits.parse().unwrap_or(fallback).clamp(1, MOST_THREADS)
}

/// Starts as many threads as the pool will, and some more, all of them at once, and lets them go.
fn try_out(count: usize) -> nsset::Result<()> {
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
    let mut failure = None;
    let mut threads = Vec::new();
    while threads.len() < count + SPARE && failure.is_none() {
        match start_one(&gate) {
            Ok(thread) => threads.push(thread),
            Err(error) => failure = Some(error),
        }
    }
    drop(closed);
    let ended: Vec<Pid> = threads.into_iter().filter_map(|thread| thread.join().ok()).collect();
    await_end(&ended);
    let Some(error) = failure else { return Ok(()) };
    let errno = error.raw_os_error().map_or(Errno::EAGAIN, Errno::from_raw);
    let hint = format!(
        "libuv's pool needs {count} threads: RLIMIT_NPROC (ulimit -u), the cgroup's pids.max or the memory is exhausted"
    );
    Err(SystemError::new(errno, "pthread_create").hint(hint).into())
}

fn start_one(gate: &Arc<Mutex<()>>) -> std::io::Result<JoinHandle<Pid>> {
    let gate = Arc::clone(gate);
    Builder::new().name("nsset-trial".into()).stack_size(STACK).spawn(move || {
        drop(gate.lock());
        gettid()
    })
}

/// A thread is joined before the kernel has counted it off; once it cannot be signalled, it has been.
fn await_end(threads: &[Pid]) {
    let deadline = Instant::now() + PATIENCE;
    for thread in threads {
        while exists(*thread) && Instant::now() < deadline {
            thread::yield_now();
        }
    }
}

fn exists(thread: Pid) -> bool {
    // SAFETY: numbers only; signal 0 asks and does nothing.
    unsafe { libc::syscall(libc::SYS_tgkill, getpid().as_raw(), thread.as_raw(), 0) == 0 }
}

struct Nothing;

impl Task for Nothing {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        Ok(())
    }

    fn resolve(&mut self, _env: Env, (): ()) -> Result<()> {
        Ok(())
    }
}
