//! Converts errors of the crates to JavaScript errors, which a function of the TypeScript API creates.

use napi::{
    Env, Status,
    bindgen_prelude::{JsObjectValue, JsValue, Unknown},
    sys,
};
use nsset::Error;

use crate::{environment, error_fields::ErrorFields};

/// Creates the JavaScript error for an error of the crate `nsset`.
pub fn create(env: Env, error: &Error) -> napi::Result<Unknown<'static>> {
    create_of(env, error.into())
}

/// Creates a JavaScript error with these fields.
pub fn create_of(env: Env, fields: ErrorFields) -> napi::Result<Unknown<'static>> {
    environment::of(env)?.create_error.borrow_back(&env)?.call(fields)
}

/// Throws the JavaScript error. The returned value only reports to napi-rs that an exception is pending.
pub fn throw(env: Env, error: &Error) -> napi::Error {
    throw_fields(env, error.into())
}

/// Throws a JavaScript error with these fields.
pub fn throw_fields(env: Env, fields: ErrorFields) -> napi::Error {
    match create_of(env, fields) {
        Ok(value) => throw_value(env, value.raw()),
        Err(failure) => failure,
    }
}

/// Throws a JavaScript value without conversion.
pub fn throw_value(env: Env, value: sys::napi_value) -> napi::Error {
    // SAFETY: the value was made in this environment, in a scope that is still open.
    unsafe { sys::napi_throw(env.raw(), value) };
    pending()
}

/// Reports to napi-rs that an exception is already pending. napi-rs does not replace it.
pub fn pending() -> napi::Error {
    napi::Error::new(Status::PendingException, "")
}

/// Returns an error with which napi-rs rejects a promise with the object that the TypeScript API created.
pub fn rejection(env: Env, error: &Error) -> napi::Error {
    match create(env, error) {
        Ok(value) => napi::Error::from_unknown_without_coercion(value),
        Err(failure) => failure,
    }
}

/// Runs a call after restoring the calling thread's namespaces, if they are not restored. Throws if that fails. Every function
/// that runs on the thread of JavaScript begins with this.
pub fn guard<T>(env: Env, call: impl FnOnce() -> nsset::Result<T>) -> napi::Result<T> {
    nsset::thread::ensure_restored().and_then(|()| call()).map_err(|error| throw(env, &error))
}

/// Sets the cause of an error: the exception that it replaces.
pub fn set_cause(error: &mut Unknown<'_>, cause: Unknown<'_>) -> napi::Result<()> {
    error.coerce_to_object()?.set_named_property("cause", cause)
}
