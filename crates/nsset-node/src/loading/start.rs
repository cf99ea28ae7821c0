//! Starts the threads, all of them outside: when the addon is loaded, or at the first call that needs one.

use std::sync::atomic::{AtomicBool, Ordering};

use napi::Env;

use crate::{loading::pool, network_thread::thread};

/// Starts all threads, so that a thread of JavaScript may go inside: once inside, it must not start threads.
pub fn everything(env: Env) -> nsset::Result<()> {
    static HAS_STARTED: AtomicBool = AtomicBool::new(false);
    if HAS_STARTED.load(Ordering::Acquire) {
        return Ok(());
    }
    nsset::proc::hold()?;
    nsset::thread::remember()?;
    // The thread of networks starts in parallel with the steps below.
    let network = thread::start()?;
    let home = nsset::home_thread::start()?;
    nsset::reaper::start()?;
    pool::start(env)?;
    network.finish();
    home.finish()?;
    HAS_STARTED.store(true, Ordering::Release);
    Ok(())
}
