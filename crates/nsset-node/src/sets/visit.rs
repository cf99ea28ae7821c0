//! `do`: enters the set, calls the callback and leaves the set, in one call from JavaScript.
//!
//! This module calls the callback, instead of the TypeScript API between two native calls, so that the thread also leaves the set
//! when JavaScript is terminated inside (a `vm` timeout, `worker.terminate()`): termination runs no `finally`.

use napi::{
    Env, Result,
    bindgen_prelude::{Function, JsValue, Unknown},
    sys,
};
use napi_derive::napi;

use crate::{
    convert::kinds_of,
    failure::{self, guard},
    loading::start,
    sets::set::NativeSet,
};

#[napi]
impl NativeSet {
    /// Calls `callback` inside. Returns its return value, or throws its exception.
    #[napi(catch_unwind, ts_args_type = "kinds: number, callback: () => unknown", ts_return_type = "unknown")]
    pub fn visit(
        &self,
        env: Env,
        kinds: u32,
        callback: Function<'_, (), Unknown<'static>>,
    ) -> Result<Unknown<'static>> {
        let visit = guard(env, || {
            start::everything(env)?;
            let set = self.open()?;
            nsset::thread::visit(&set, kinds_of(&set, kinds)?)
        })?;
        let outcome = call(env, &callback);
        match visit.leave() {
            Ok(()) => outcome,
            Err(error) => Err(throw_over(env, &error)),
        }
    }
}

/// Calls the callback. If it throws, the exception stays pending, so that the caller gets the same value.
fn call(env: Env, callback: &Function<'_, (), Unknown<'static>>) -> Result<Unknown<'static>> {
    let mut this = std::ptr::null_mut();
    let mut result = std::ptr::null_mut();
    // SAFETY: the environment is the calling thread's, and the function is a value of the current scope.
    let status = unsafe {
        sys::napi_get_undefined(env.raw(), &raw mut this);
        sys::napi_call_function(env.raw(), this, callback.raw(), 0, std::ptr::null(), &raw mut result)
    };
    match status {
        // SAFETY: the call succeeded, so `result` is a value of this scope.
        sys::Status::napi_ok => Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), result) }),
        _ => Err(failure::pending()),
    }
}

/// Throws the error of a failed return from the set. The exception of the callback becomes its cause.
fn throw_over(env: Env, error: &nsset::Error) -> napi::Error {
    let mut pending = false;
    let mut cause = std::ptr::null_mut();
    // SAFETY: reads and clears the pending exception of the calling thread's environment.
    unsafe {
        sys::napi_is_exception_pending(env.raw(), &raw mut pending);
        if pending {
            sys::napi_get_and_clear_last_exception(env.raw(), &raw mut cause);
        }
    }
    match failure::create(env, error) {
        Ok(mut value) => {
            if !cause.is_null() {
                // SAFETY: the exception that was cleared is a value of this scope.
                let cause = unsafe { Unknown::from_raw_unchecked(env.raw(), cause) };
                let _ = failure::set_cause(&mut value, cause);
            }
            failure::throw_value(env, value.raw())
        }
        Err(failure) => failure,
    }
}
