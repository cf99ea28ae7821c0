//! unshare below a base, whose inhabitants may hold it up: where nothing but that base waits for it.

use std::sync::{Arc, Weak};

use napi::{Env, Result, bindgen_prelude::Reference};
use napi_derive::napi;
use nix::unistd::{getpid, gettid};
use nsset::Error;

use crate::{
    environment,
    failure::guard,
    held_open::{HeldOpen, Made},
    network_thread::{reply::Reply, thread, waiting},
    sets::options::NativeUnshareOptions,
    sets::pending::Pending,
    sets::set::NativeSet,
    sets::unshare::{NativeCanceller, kinds_named},
};

#[napi]
impl NativeSet {
    /// Whether namespaces of these kinds are made below this set by way of those inside.
    #[napi(catch_unwind)]
    pub fn goes_inside(&self, env: Env, kinds: u32) -> Result<bool> {
        self.with(env, |base| {
            let is_light = nsset::is_light(Some(base), kinds_named(kinds)?);
            // A thread that is inside sees namespaces of the base as its own.
            Ok(nsset::footprint::is_away() || !is_light)
        })
    }

    /// Makes new namespaces below this set, as `unshare`. `id` is told when they are there, or why not.
    #[napi(catch_unwind)]
    pub fn unshare_below(
        &self,
        env: Env,
        id: u32,
        kinds: u32,
        options: NativeUnshareOptions,
        canceller: Option<Reference<NativeCanceller>>,
    ) -> Result<()> {
        let environment = environment::of(env)?;
        let reply = Reply::new(id, Arc::clone(&environment.answer_line));
        let made = Arc::downgrade(&environment.made);
        guard(env, || {
            let (base, stay, line) = (self.open()?.clone(), self.stay(), self.line());
            let (kinds, options) = (kinds_named(kinds)?, options.into_core()?);
            let cancel = canceller.as_ref().and_then(|canceller| canceller.cancel());
            let pending = Arc::new(Pending::new(reply));
            if let Some(canceller) = &canceller {
                canceller.end_pending(&pending);
            }
            let work = {
                let pending = Arc::clone(&pending);
                move || {
                    pending.begin(|| {
                        let made_here = nsset::unshare(Some(&base), kinds, &options, cancel.as_ref())?;
                        keep(&made, id, made_here.into())
                    });
                    // The base's pid namespace lives on in what was made, even where the base was closed meanwhile.
                    drop(stay);
                }
            };
            if may_start_threads() {
                return waiting::add(line, work);
            }
            thread::run(move || async move {
                if let Err(error) = waiting::add(line, work) {
                    pending.end(Err(error));
                }
            })
        })
    }
}

/// Whether a thread that this one starts is home: the first thread of the process is, where it did not go inside.
fn may_start_threads() -> bool {
    gettid() == getpid() && !nsset::footprint::is_away()
}

/// Keeps a set until it is taken; it is closed where there is no environment any more that would take it.
fn keep(made: &Weak<Made>, id: u32, set: HeldOpen) -> nsset::Result<()> {
    let made = made.upgrade().ok_or(Error::Aborted)?;
    made.all().insert(id, set);
    Ok(())
}

/// Takes what `unshareBelow` has made.
#[napi(catch_unwind)]
pub fn take_made(env: Env, id: u32) -> Result<NativeSet> {
    let set = environment::of(env)?.made.all().remove(&id);
    guard(env, || set.map(NativeSet::from).ok_or(Error::Closed))
}
