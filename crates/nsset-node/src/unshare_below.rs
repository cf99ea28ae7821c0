//! unshare below a base, whose inhabitants may hold it up: where nothing but that base waits for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use napi::{Env, Result, bindgen_prelude::Reference};
use napi_derive::napi;
use nsset::Error;

use crate::{
    environment,
    failure::guard,
    network::{
        reply::Reply,
        thread,
        under_way::Abandonment,
        waiting::{self, ABANDONMENT},
    },
    options::NativeUnshareOptions,
    set::{HeldOpen, NativeSet},
    unshare::{NativeCanceller, kinds_named},
};

/// The sets of one environment that were made, by the number of the request, until they are taken.
#[derive(Default)]
pub struct Made(Mutex<HashMap<u32, HeldOpen>>);

impl Made {
    fn all(&self) -> MutexGuard<'_, HashMap<u32, HeldOpen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[napi]
impl NativeSet {
    /// Whether namespaces of these kinds are made below this set by way of those inside.
    #[napi(catch_unwind)]
    pub fn goes_inside(&self, env: Env, kinds: u32, options: NativeUnshareOptions) -> Result<bool> {
        self.with(env, |base| {
            let is_light = nsset::is_light(Some(base), kinds_named(kinds)?, &options.into_core()?);
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
            let abandonment = canceller.map_or_else(Arc::<Abandonment>::default, |canceller| canceller.abandonment());
            thread::run(move || async move {
                let work = move || {
                    let made = nsset::unshare_from_home(Some(&base), kinds, &options, cancel.as_ref())?;
                    let made = HeldOpen::from(made);
                    // The base's pid namespace lives on in what was made, even where the base was closed meanwhile.
                    drop(stay);
                    Ok(made)
                };
                let outcome = ABANDONMENT.scope(abandonment, waiting::run(line, work)).await;
                reply.end(outcome.and_then(|set| keep(&made, id, set)).map_err(Into::into));
            })
        })
    }
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
