//! libuv's pool. It starts all of its threads at the first piece of work, and ends the process if it cannot start them.

use std::{
    env,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use napi::{Env, Result, Task};
use nix::errno::Errno;
use nsset::SystemError;

use crate::loading::trial_threads;

/// libuv's default and largest number of threads.
const DEFAULT_THREADS: usize = 4;
const MOST_THREADS: usize = 1024;
/// The stack size of one thread of the pool, in bytes.
const STACK: usize = 8 << 20;
/// How many threads more than the pool needs are tried: other code may start threads at the same time.
const SPARE: usize = 2;

static HAS_STARTED: AtomicBool = AtomicBool::new(false);

/// Starts the pool, once, from a thread that is outside, before any thread of JavaScript goes inside. After a failure the next
/// call tries again.
pub fn start(env: Env) -> nsset::Result<()> {
    static TURN: Mutex<()> = Mutex::new(());
    if HAS_STARTED.load(Ordering::Acquire) {
        return Ok(());
    }
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if HAS_STARTED.load(Ordering::Acquire) {
        return Ok(());
    }
    nsset::outside::ensure()?;
    try_out(threads_of_the_pool())?;
    let queued = env.spawn(Nothing);
    queued.map_err(|_| SystemError::new(Errno::ENOMEM, "uv_queue_work"))?;
    HAS_STARTED.store(true, Ordering::Release);
    Ok(())
}

/// Parses `UV_THREADPOOL_SIZE` like libuv, which reads the variable once.
fn threads_of_the_pool() -> usize {
    let Some(text) = env::var_os("UV_THREADPOOL_SIZE") else { return DEFAULT_THREADS };
    let text = text.to_string_lossy();
    let text = text.trim_start();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let digits = digits.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
    // libuv takes text that is not a number as 0, and a negative number as a very large one.
    let fallback = if text.starts_with('-') || !digits.is_empty() { MOST_THREADS } else { 0 };
    digits.parse().unwrap_or(fallback).clamp(1, MOST_THREADS)
}

/// Starts and ends as many threads as the pool will start, and some more, to find out whether the limits allow it.
fn try_out(count: usize) -> nsset::Result<()> {
    trial_threads::start_and_end(count + SPARE, STACK).map_err(|errno| {
        let hint = format!(
            "libuv's pool needs {count} threads: RLIMIT_NPROC (ulimit -u), the cgroup's pids.max or the memory is exhausted"
        );
        SystemError::new(errno, "pthread_create").hint(hint).into()
    })
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
