//! libuv's pool, which starts all of its threads at the first piece of work, and ends the process where it cannot.

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

/// As libuv has it: threads, and the most that it starts.
const DEFAULT_THREADS: usize = 4;
const MOST_THREADS: usize = 1024;
/// Of one thread of the pool, in bytes.
const STACK: usize = 8 << 20;
/// More than the pool needs: others may start threads at the same time.
const SPARE: usize = 2;

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
    nsset::outside::ensure()?;
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

/// Starts as many threads as the pool will, and some more, and lets them go.
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
