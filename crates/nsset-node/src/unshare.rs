//! unshare, at once or on libuv's pool.

use napi::{
    Env, Result, Task,
    bindgen_prelude::{AsyncTask, Reference},
};
use napi_derive::napi;
use nsset::{Cancel, Kinds, NamespaceSet, Stay, UnshareOptions};

use crate::{
    convert::optional_kinds,
    failure::{self, guard},
    options::NativeUnshareOptions,
    set::NativeSet,
};

/// Makes new namespaces; with a base, the result holds the base's others too.
#[napi]
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

/// The same on another thread; `canceller` ends it early.
#[napi(ts_return_type = "Promise<NativeSet>")]
pub fn unshare(
    env: Env,
    base: Option<&NativeSet>,
    kinds: u32,
    options: NativeUnshareOptions,
    canceller: Option<Reference<NativeCanceller>>,
) -> Result<AsyncTask<Unshare>> {
    guard(env, || {
        Ok(AsyncTask::new(Unshare {
            base: base.map(|base| base.open().map(|base| base.clone())).transpose()?,
            stay: base.map(NativeSet::open).transpose()?.and_then(|base| base.stay()),
            kinds: kinds_named(kinds)?,
            options: options.into_core()?,
            cancel: canceller.and_then(|canceller| canceller.cancel.clone()),
            failure: None,
        }))
    })
}

fn kinds_named(mask: u32) -> nsset::Result<Kinds> {
    Ok(optional_kinds(mask)?.unwrap_or(Kinds::NONE))
}

/// Ends an operation early.
#[napi]
pub struct NativeCanceller {
    cancel: Option<Cancel>,
}

#[napi]
impl NativeCanceller {
    #[napi(constructor)]
    pub fn new(env: Env) -> Result<Self> {
        guard(env, || Ok(Self { cancel: Some(Cancel::new()?) }))
    }

    #[napi]
    pub fn cancel(&self) {
        if let Some(cancel) = &self.cancel {
            cancel.cancel();
        }
    }

    /// There is nothing to cancel any more.
    #[napi]
    pub fn release(&mut self) {
        self.cancel = None;
    }
}

pub struct Unshare {
    base: Option<NamespaceSet>,
    /// The base's pid namespace lives on in the result, even where the base is closed meanwhile.
    stay: Option<Stay>,
    kinds: Kinds,
    options: UnshareOptions,
    cancel: Option<Cancel>,
    /// Kept from the pool's thread to the JS thread, where it becomes an object.
    failure: Option<nsset::Error>,
}

impl Task for Unshare {
    type Output = NamespaceSet;
    type JsValue = NativeSet;

    fn compute(&mut self) -> Result<NamespaceSet> {
        // Taken, so that nothing is held any more once the promise is settled.
        let (base, cancel) = (self.base.take(), self.cancel.take());
        nsset::unshare_from_home(base.as_ref(), self.kinds, &self.options, cancel.as_ref()).map_err(|error| {
            let reason = error.to_string();
            self.failure = Some(error);
            napi::Error::from_reason(reason)
        })
    }

    fn resolve(&mut self, _env: Env, set: NamespaceSet) -> Result<NativeSet> {
        let set = NativeSet::new(set);
        self.stay = None;
        Ok(set)
    }

    fn reject(&mut self, env: Env, error: napi::Error) -> Result<NativeSet> {
        self.stay = None;
        Err(self.failure.take().map_or(error, |failure| failure::rejection(env, &failure)))
    }
}
