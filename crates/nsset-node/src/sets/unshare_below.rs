//! Creates namespaces below a base whose processes may block this, on a thread where it blocks only work on that base.

use napi::{Env, Result};
use nix::unistd::{getpid, gettid};
use nsset::{Kinds, UnshareOptions};

use crate::{
    deferred::{Deferred, Loop, Promise},
    network_thread::{thread, waiting},
    sets::canceller::{NativeCanceller, Turn},
    sets::set::NativeSet,
};

impl NativeSet {
    /// Returns whether processes inside this set may block the creation of namespaces of these kinds below it.
    pub fn goes_inside(&self, kinds: Kinds) -> nsset::Result<bool> {
        // For a calling thread that is inside, `is_light` would take namespaces of the base for the thread's own.
        Ok(nsset::footprint::is_away() || !nsset::is_light(Some(&*self.open()?), kinds))
    }

    /// Creates namespaces below this set.
    pub fn unshare_below(
        &self,
        env: Env,
        kinds: Kinds,
        options: UnshareOptions,
        canceller: Option<&NativeCanceller>,
    ) -> Result<Promise<NativeSet>> {
        let (base, stay, line) = (self.with(env, |base| Ok(base.clone()))?, self.stay(), self.line());
        let (deferred, promise) = Deferred::new(env, Loop::Held)?;
        let turn = Turn::of(&deferred);
        let cancel = canceller.and_then(NativeCanceller::cancel);
        if let Some(canceller) = canceller {
            canceller.end_waiting(turn.clone());
        }
        let work = move || {
            turn.take(move || {
                let made = nsset::unshare(Some(&base), kinds, &options, cancel.as_ref()).map(NativeSet::from);
                // Before the promise settles: a caller that closes both sets then waits for the end of the base's pid namespace.
                drop((base, stay, cancel));
                made
            });
        };
        let refused = deferred.clone();
        let begin = move || {
            if let Err(error) = waiting::add(line, work) {
                deferred.settle(Err(error));
            }
        };
        if may_start_threads() {
            begin();
        } else {
            let running = thread::run(move || async move { begin() });
            running.unwrap_or_else(|error| refused.settle(Err(error)));
        }
        Ok(promise)
    }
}

/// Returns whether a thread that this one starts is outside. The process' first thread is outside if it did not go inside.
fn may_start_threads() -> bool {
    gettid() == getpid() && !nsset::footprint::is_away()
}
