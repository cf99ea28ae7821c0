//! Watchers of a network.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use napi::{Env, Result, bindgen_prelude::Either};
use napi_derive::napi;
use nsset_net::{WatchedPart, Watcher};

use crate::{
    deferred::{Deferred, Loop, Promise},
    error_fields::ErrorFields,
    failure::{guard, throw_fields},
    network::{inside::open, native_network::NativeNetwork},
};

/// A watcher of a network. It ends when this is closed or dropped, or when its network is closed.
#[napi]
pub struct NativeWatcher {
    /// One for each source of its parts.
    watchers: Mutex<Option<Arc<[Watcher]>>>,
}

#[napi]
impl NativeNetwork {
    /// Watches parts. The kernel queues their notifications when this returns.
    #[napi(catch_unwind)]
    pub fn watch(&self, env: Env, parts: Vec<String>, existing: bool) -> Result<NativeWatcher> {
        let sockets = guard(env, || open(&self.inside))?;
        let parts: Vec<_> = parts.iter().filter_map(|name| WatchedPart::named(name)).collect();
        match sockets.watch(&parts, existing) {
            Ok(watchers) => Ok(NativeWatcher { watchers: Mutex::new(Some(watchers.into())) }),
            Err(failure) => Err(throw_fields(env, ErrorFields::from(&failure))),
        }
    }
}

#[napi]
impl NativeWatcher {
    /// Returns the next events as the text of a JSON array, or a promise of them; null after the end. The promise does not keep the
    /// event loop alive.
    #[napi(catch_unwind, ts_return_type = "string | null | Promise<string | null>")]
    pub fn next(&self, env: Env) -> Result<Either<Option<String>, Promise<Option<String>>>> {
        let Some(watchers) = self.slot().clone() else { return Ok(Either::A(None)) };
        match read(&watchers) {
            Ok(Reading::Events(text)) => return Ok(Either::A(Some(text))),
            Ok(Reading::End) => return Ok(Either::A(None)),
            Ok(Reading::Nothing) => {}
            Err(failure) => return Err(throw_fields(env, ErrorFields::from(&failure))),
        }
        let (deferred, promise) = Deferred::new(env, Loop::Free)?;
        let waiting = Arc::downgrade(&watchers);
        // The first watcher that has something to read settles the promise.
        let deferred = Arc::new(Mutex::new(Some(deferred)));
        for watcher in watchers.iter() {
            let (waiting, deferred) = (Weak::clone(&waiting), Arc::clone(&deferred));
            watcher.when_ready(move || {
                let Some(deferred) = deferred.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
                match waiting.upgrade().map(|watchers| read(&watchers)) {
                    Some(Ok(Reading::Events(text))) => deferred.resolve(Some(text)),
                    Some(Ok(Reading::Nothing)) => deferred.resolve(Some("[]".into())),
                    Some(Ok(Reading::End)) | None => deferred.resolve(None),
                    Some(Err(failure)) => deferred.settle(Err(failure)),
                }
            });
        }
        Ok(Either::B(promise))
    }

    /// Ends the watcher. A promise of `next` is resolved with null.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        let watchers = self.slot().take();
        drop(watchers);
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<[Watcher]>>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Reading {
    Events(String),
    Nothing,
    End,
}

/// Reads from the first watcher that has something to read.
fn read(watchers: &[Watcher]) -> std::result::Result<Reading, WatchFailure> {
    let mut has_ended = false;
    for watcher in watchers {
        match watcher.read() {
            Ok(Some(text)) => return Ok(Reading::Events(text)),
            Ok(None) => {}
            Err(None) => has_ended = true,
            Err(Some(error)) => return Err(WatchFailure(error)),
        }
    }
    Ok(if has_ended { Reading::End } else { Reading::Nothing })
}

/// The error that ended the watchers of a network, which they share.
struct WatchFailure(Arc<nsset_net::Error>);

impl From<&WatchFailure> for ErrorFields {
    fn from(failure: &WatchFailure) -> Self {
        (&*failure.0).into()
    }
}
