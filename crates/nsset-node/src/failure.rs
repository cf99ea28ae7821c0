//! Turns the core's errors into JavaScript's, made by the face's own function.

use napi::{
    Env, Status,
    bindgen_prelude::{JsObjectValue, JsValue, Unknown},
    sys,
};
use nsset::Error;

use crate::{environment, error_fields::ErrorFields};

/// The JavaScript error for one of the core's.
pub fn create(env: Env, error: &Error) -> napi::Result<Unknown<'static>> {
    create_of(env, error.into())
}

/// The JavaScript error that is made of these.
pub fn create_of(env: Env, fields: ErrorFields) -> napi::Result<Unknown<'static>> {
    environment::of(env)?.create_error.borrow_back(&env)?.call(fields)
}

/// Throws it. What is returned only tells napi-rs that an exception is pending.
pub fn throw(env: Env, error: &Error) -> napi::Error {
    throw_fields(env, error.into())
}

/// Throws what is made of these.
pub fn throw_fields(env: Env, fields: ErrorFields) -> napi::Error {
    match create_of(env, fields) {
        Ok(value) => throw_value(env, value.raw()),
        Err(failure) => failure,
    }
}

/// Throws a JavaScript value as it is.
pub fn throw_value(env: Env, value: sys::napi_value) -> napi::Error {
    // SAFETY: the value was made in this environment, in a scope that is still open.
    unsafe { sys::napi_throw(env.raw(), value) };
    pending()
}

/// An exception is pending already; napi-rs leaves it alone.
pub fn pending() -> napi::Error {
    napi::Error::new(Status::PendingException, "")
}

/// For promises: an error that rejects with exactly the face's object.
pub fn rejection(env: Env, error: &Error) -> napi::Error {
    match create(env, error) {
        Ok(value) => napi::Error::from_unknown_without_coercion(value),
        Err(failure) => failure,
    }
}

/// Every call on a thread begins with this: a thread that is not back where it belongs goes back first, or does nothing.
pub fn guard<T>(env: Env, call: impl FnOnce() -> nsset::Result<T>) -> napi::Result<T> {
    nsset::thread::ensure_restored().and_then(|()| call()).map_err(|error| throw(env, &error))
}

/// Adds what was thrown before to the error that takes its place.
pub fn set_cause(error: &mut Unknown<'_>, cause: Unknown<'_>) -> napi::Result<()> {
    error.coerce_to_object()?.set_named_property("cause", cause)
}
