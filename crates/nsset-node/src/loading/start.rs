//! The threads: all of them are started outside, at load, or by the first call that needs one.

use std::sync::atomic::{AtomicBool, Ordering};

use napi::Env;

use crate::{loading::pool, network_thread::thread};

/// Whatever can be started, so that a thread of JavaScript may go inside: from then on it must start none.
pub fn everything(env: Env) -> nsset::Result<()> {
    static HAS_STARTED: AtomicBool = AtomicBool::new(false);
    if HAS_STARTED.load(Ordering::Acquire) {
        return Ok(());
    }
    nsset::proc::hold()?;
    nsset::thread::remember()?;
    // It starts to run meanwhile.
    let network = thread::start()?;
    let home = nsset::home_thread::start()?;
    nsset::reaper::start()?;
    pool::start(env)?;
    network.finish();
    home.finish()?;
    HAS_STARTED.store(true, Ordering::Release);
    Ok(())
}
