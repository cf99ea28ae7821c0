//! unshare, at once or on libuv's pool.

use std::{cell::RefCell, sync::Arc};

use napi::{
    Env, Result,
    bindgen_prelude::{AsyncTask, Reference},
};
use napi_derive::napi;
use nsset::{Cancel, Kinds};

use crate::{
    convert::optional_kinds,
    failure::guard,
    held_open::HeldOpen,
    sets::options::NativeUnshareOptions,
    sets::pending::Pending,
    sets::set::NativeSet,
    sets::work::{self, Work},
};

/// Makes new namespaces; with a base, the result holds the base's others too.
#[napi(catch_unwind)]
pub fn unshare_sync(
    env: Env,
    base: Option<&NativeSet>,
    kinds: u32,
    options: NativeUnshareOptions,
) -> Result<NativeSet> {
    guard(env, || {
        let base = base.map(NativeSet::open).transpose()?;
        nsset::unshare(base.as_deref(), kinds_named(kinds)?, &options.into_core()?, None).map(NativeSet::new)
    })
}

/// The same on a thread of libuv's pool; `canceller` ends it early.
#[napi(catch_unwind, ts_return_type = "Promise<NativeSet>")]
pub fn unshare(
    env: Env,
    base: Option<&NativeSet>,
    kinds: u32,
    options: NativeUnshareOptions,
    canceller: Option<Reference<NativeCanceller>>,
) -> Result<AsyncTask<Work<HeldOpen, NativeSet>>> {
    guard(env, || {
        let stay = base.and_then(NativeSet::stay);
        let base = base.map(|base| base.open().map(|base| base.clone())).transpose()?;
        let (kinds, options) = (kinds_named(kinds)?, options.into_core()?);
        let cancel = canceller.and_then(|canceller| canceller.cancel());
        work::run(env, move || {
            let made = nsset::unshare(base.as_ref(), kinds, &options, cancel.as_ref())?;
            let made = HeldOpen::from(made);
            // The base's pid namespace lives on in what was made, even where the base was closed meanwhile.
            drop(stay);
            Ok(made)
        })
    })
}

pub fn kinds_named(mask: u32) -> nsset::Result<Kinds> {
    Ok(optional_kinds(mask)?.unwrap_or(Kinds::NONE))
}

/// Ends an operation early.
#[napi]
pub struct NativeCanceller {
    cancel: Option<Cancel>,
    /// What waits for its turn.
    pending: RefCell<Option<Arc<Pending>>>,
}

impl NativeCanceller {
    /// Ends what runs.
    pub fn cancel(&self) -> Option<Cancel> {
        self.cancel.clone()
    }

    /// Ends this, too, if its turn has not come by then.
    pub fn end_pending(&self, pending: &Arc<Pending>) {
        self.pending.replace(Some(Arc::clone(pending)));
    }
}

#[napi]
impl NativeCanceller {
    #[napi(catch_unwind, constructor)]
    pub fn new(env: Env) -> Result<Self> {
        guard(env, || Ok(Self { cancel: Some(Cancel::new()?), pending: RefCell::default() }))
    }

    #[napi(catch_unwind, js_name = "cancel")]
    pub fn cancel_now(&self) {
        if let Some(cancel) = &self.cancel {
            cancel.cancel();
        }
        if let Some(pending) = self.pending.take() {
            pending.abort();
        }
    }

    /// There is nothing to cancel any more.
    #[napi(catch_unwind)]
    pub fn release(&mut self) {
        self.cancel = None;
        self.pending.take();
    }
}
