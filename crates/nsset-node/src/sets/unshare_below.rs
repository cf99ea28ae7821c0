//! unshare below a base, whose inhabitants may hold it up: where nothing but that base waits for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use napi::{Env, Result};
use nix::unistd::{getpid, gettid};
use nsset::{Error, Kinds, TIME_LIMIT, UnshareOptions};

use crate::{
    bridge::deferred::{Deferred, Loop, Promise},
    network::{thread, waiting},
    sets::set::NativeSet,
    sets::unshare::NativeCanceller,
};

impl NativeSet {
    /// Whether namespaces of these kinds are made below this set by way of those inside.
    pub fn goes_inside(&self, kinds: Kinds, options: &UnshareOptions) -> nsset::Result<bool> {
        // A thread that is inside sees namespaces of the base as its own.
        Ok(nsset::footprint::is_away() || !nsset::is_light(Some(&*self.open()?), kinds, options))
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
            turn.take(|| nsset::unshare_from_home(Some(&base), kinds, &options, cancel.as_ref()).map(NativeSet::from));
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

/// The turn of work in a queue. Either it comes, or the work is aborted before.
#[derive(Clone)]
pub struct Turn {
    deferred: Deferred<NativeSet>,
    is_over: Arc<AtomicBool>,
    since: Instant,
}

impl Turn {
    fn of(deferred: &Deferred<NativeSet>) -> Self {
        Self { deferred: deferred.clone(), is_over: Arc::default(), since: Instant::now() }
    }

    /// It has come.
    fn take(&self, work: impl FnOnce() -> nsset::Result<NativeSet>) {
        if !self.is_over.swap(true, Ordering::AcqRel) {
            self.deferred.settle(if self.since.elapsed() < TIME_LIMIT { work() } else { Err(waiting::too_late()) });
        }
    }

    /// The work is not wanted any more.
    pub fn abort(&self) {
        if !self.is_over.swap(true, Ordering::AcqRel) {
            self.deferred.settle(Err(Error::Aborted));
        }
    }
}
