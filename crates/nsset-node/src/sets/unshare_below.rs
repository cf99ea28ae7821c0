//! unshare below a base, whose inhabitants may hold it up: where nothing but that base waits for it.

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
    /// Whether namespaces of these kinds are made below this set by way of those inside.
    pub fn goes_inside(&self, kinds: Kinds) -> nsset::Result<bool> {
        // A thread that is inside sees namespaces of the base as its own.
        Ok(nsset::footprint::is_away() || !nsset::is_light(Some(&*self.open()?), kinds))
    }

    /// Makes new namespaces below this set.
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
            turn.take(|| nsset::unshare(Some(&base), kinds, &options, cancel.as_ref()).map(NativeSet::from));
            // The base's pid namespace lives on in what was made, even where the base was closed meanwhile.
            drop(stay);
        };
        let begin = move || {
            if let Err(error) = waiting::add(line, work) {
                deferred.settle(Err(error));
            }
        };
        if may_start_threads() {
            begin();
        } else {
            // If it is refused, what it was to settle is dropped, and so rejected.
            let _ = thread::run(move || async move { begin() });
        }
        Ok(promise)
    }
}

/// Whether a thread that this one starts is home: the first thread of the process is, where it did not go inside.
fn may_start_threads() -> bool {
    gettid() == getpid() && !nsset::footprint::is_away()
}
