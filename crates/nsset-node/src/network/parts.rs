//! An outcome that is sent in parts, so that JavaScript parses a long list while the kernel still sends it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use napi::{Env, Result, bindgen_prelude::Either};
use napi_derive::napi;
use nix::errno::Errno;
use nsset::SystemError;

use crate::{
    deferred::{Deferred, Loop, Promise},
    error_fields::ErrorFields,
    failure::guard,
};

/// The outcome of a request, or a part of it. There is none if the only result is null.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct NativeOutcome {
    /// The results of operations that succeeded, as the text of a JSON array. Null is the result of a list that was sent in parts.
    pub results: String,
    /// The next part of a list, as the text of a JSON array.
    pub list: Option<String>,
    /// The error of the first operation that failed, if any.
    pub failure: Option<ErrorFields>,
    /// Where the rest of the outcome comes from, if this is not all.
    pub rest: Option<NativeRest>,
}

/// Where a request sends its outcome. Dropping it without a last part rejects the promise that waits for one.
pub struct Answer(Arc<Mutex<Parts>>);

struct Parts {
    /// The promise of the next part, if JavaScript waits for it.
    wanted: Option<Deferred<Option<NativeOutcome>>>,
    /// The parts that JavaScript has not taken yet, without their `rest`, which would keep this alive.
    ready: VecDeque<Option<NativeOutcome>>,
    /// Whether the last part was sent.
    has_end: bool,
    /// Whether no more parts will come, because the last one was sent or the request has panicked.
    is_over: bool,
}

impl Answer {
    /// The first part settles this promise.
    pub fn new(first: Deferred<Option<NativeOutcome>>) -> Self {
        Self(Arc::new(Mutex::new(Parts {
            wanted: Some(first),
            ready: VecDeque::new(),
            has_end: false,
            is_over: false,
        })))
    }

    /// Sends a part, after which others come.
    pub fn send(&self, part: NativeOutcome) {
        let mut parts = lock(&self.0);
        match parts.wanted.take() {
            Some(wanted) => wanted.resolve(Some(NativeOutcome { rest: Some(NativeRest(Arc::clone(&self.0))), ..part })),
            None => parts.ready.push_back(Some(part)),
        }
    }

    /// Sends the last part.
    pub fn end(&self, part: Option<NativeOutcome>) {
        let mut parts = lock(&self.0);
        parts.has_end = true;
        match parts.wanted.take() {
            Some(wanted) => wanted.resolve(part),
            None => parts.ready.push_back(part),
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let mut parts = lock(&self.0);
        parts.is_over = true;
        // Rejects the promise, if the request has not come to its end.
        parts.wanted = None;
    }
}

/// The parts of an outcome after the first.
#[napi]
pub struct NativeRest(Arc<Mutex<Parts>>);

#[napi]
impl NativeRest {
    /// Returns the next part, or a promise of it.
    #[napi(catch_unwind, ts_return_type = "NativeOutcome | null | Promise<NativeOutcome | null>")]
    pub fn next(&self, env: Env) -> Result<Either<Option<NativeOutcome>, Promise<Option<NativeOutcome>>>> {
        let mut parts = lock(&self.0);
        if let Some(part) = parts.ready.pop_front() {
            let is_last = parts.has_end && parts.ready.is_empty();
            let rest = (!is_last).then(|| Self(Arc::clone(&self.0)));
            return Ok(Either::A(part.map(|part| NativeOutcome { rest, ..part })));
        }
        if parts.is_over {
            guard(env, || Err(SystemError::new(Errno::ECANCELED, "request").into()))?;
        }
        let (deferred, promise) = Deferred::new(env, Loop::Held)?;
        parts.wanted = Some(deferred);
        Ok(Either::B(promise))
    }
}

fn lock(parts: &Mutex<Parts>) -> MutexGuard<'_, Parts> {
    parts.lock().unwrap_or_else(PoisonError::into_inner)
}
