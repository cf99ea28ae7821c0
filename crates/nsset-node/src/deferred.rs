//! Promises that any thread can settle.

use std::{
    marker::PhantomData,
    ptr,
    sync::{Arc, Mutex, PoisonError},
};

use napi::{
    Env, Error, Result, Status,
    bindgen_prelude::{PromiseRaw, ToNapiValue, Unknown},
    sys,
};
use nix::errno::Errno;
use nsset::SystemError;

use crate::{environment, error_fields::ErrorFields, failure, settler::Settler};

/// A promise that a function of the binding returns.
pub type Promise<T> = PromiseRaw<'static, T>;

/// Whether the event loop stays alive until a promise is settled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Loop {
    Held,
    Free,
}

/// Settles a promise from any thread. Only the first call counts. If the last copy is dropped before that, the promise is
/// rejected with `ECANCELED`: the work has panicked or did not run.
pub struct Deferred<T: ToNapiValue + Send + 'static>(Arc<Shared<T>>);

struct Shared<T: ToNapiValue + Send + 'static> {
    settler: Arc<Settler>,
    pending: Mutex<Option<Pending>>,
    value: PhantomData<fn(T)>,
}

impl<T: ToNapiValue + Send + 'static> Clone for Deferred<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The handle with which Node-API settles a promise. Settling frees the handle. A handle that outlives its environment is not
/// used.
struct Pending {
    deferred: sys::napi_deferred,
    keeps: Loop,
}

// SAFETY: other threads only pass the handle back to the thread of its environment, where `settle` uses it.
unsafe impl Send for Pending {}

impl<T: ToNapiValue + Send + 'static> Deferred<T> {
    /// Creates a promise in the calling thread's environment.
    pub fn new(env: Env, keeps: Loop) -> Result<(Self, Promise<T>)> {
        let settler = Arc::clone(&environment::of(env)?.settler);
        let (mut deferred, mut promise) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment is the calling thread's.
        let status = unsafe { sys::napi_create_promise(env.raw(), &raw mut deferred, &raw mut promise) };
        if status != sys::Status::napi_ok {
            return Err(Error::new(Status::from(status), "the promise could not be created"));
        }
        if keeps == Loop::Held {
            settler.hold(env);
        }
        let pending = Mutex::new(Some(Pending { deferred, keeps }));
        let shared = Shared { settler, pending, value: PhantomData };
        Ok((Self(Arc::new(shared)), PromiseRaw::new(env.raw(), promise)))
    }

    /// Resolves the promise.
    pub fn resolve(&self, value: T) {
        self.0.post(Ok(value));
    }

    /// Resolves the promise, or rejects it.
    pub fn settle<E>(&self, outcome: std::result::Result<T, E>)
    where
        for<'a> ErrorFields: From<&'a E>,
    {
        self.0.post(outcome.map_err(|error| ErrorFields::from(&error)));
    }
}

impl<T: ToNapiValue + Send + 'static> Shared<T> {
    fn post(&self, outcome: std::result::Result<T, ErrorFields>) {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(pending) = pending else { return };
        let settler = Arc::clone(&self.settler);
        self.settler.post(Box::new(move |env| {
            if pending.keeps == Loop::Held {
                settler.release(env);
            }
            pending.settle(env, outcome);
        }));
    }
}

impl<T: ToNapiValue + Send + 'static> Drop for Shared<T> {
    fn drop(&mut self) {
        let canceled = nsset::Error::from(SystemError::new(Errno::ECANCELED, "request"));
        self.post(Err(ErrorFields::from(&canceled)));
    }
}

impl Pending {
    /// Settles the promise. Must be called on the thread of the environment.
    fn settle<T: ToNapiValue>(self, env: Env, outcome: std::result::Result<T, ErrorFields>) {
        // SAFETY: the environment is the calling thread's.
        let value = outcome.map(|value| unsafe { T::to_napi_value(env.raw(), value) });
        // SAFETY: the deferred belongs to this environment and is used for the first time. The calls fail only in an environment
        // that no longer runs JavaScript.
        unsafe {
            match value {
                Ok(Ok(value)) => sys::napi_resolve_deferred(env.raw(), self.deferred, value),
                Ok(Err(error)) => sys::napi_reject_deferred(env.raw(), self.deferred, rejection(env, Err(error))),
                Err(fields) => {
                    let error = failure::create_of(env, fields);
                    sys::napi_reject_deferred(env.raw(), self.deferred, rejection(env, error))
                }
            }
        };
    }
}

/// Returns the value that a promise is rejected with. If creating the error failed, this is the error of that failure.
fn rejection(env: Env, error: Result<Unknown<'static>>) -> sys::napi_value {
    // SAFETY: the environment is the calling thread's.
    let value = unsafe {
        match error {
            Ok(error) => Unknown::to_napi_value(env.raw(), error),
            Err(error) => Error::to_napi_value(env.raw(), error),
        }
    };
    value.unwrap_or(ptr::null_mut())
}
