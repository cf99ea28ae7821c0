//! Watchers of a network.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    watcher: Mutex<Option<Arc<Watcher>>>,
}

#[napi]
impl NativeNetwork {
    /// Watches parts. The kernel queues their notifications when this returns.
    #[napi(catch_unwind)]
    pub fn watch(&self, env: Env, parts: Vec<String>, existing: bool) -> Result<NativeWatcher> {
        let sockets = guard(env, || open(&self.inside))?;
        let parts: Vec<_> = parts.iter().filter_map(|name| WatchedPart::named(name)).collect();
        match sockets.watch(&parts, existing) {
            Ok(watcher) => Ok(NativeWatcher { watcher: Mutex::new(Some(Arc::new(watcher))) }),
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
        let Some(watcher) = self.slot().clone() else { return Ok(Either::A(None)) };
        match read(&watcher) {
            Ok(Reading::Events(text)) => return Ok(Either::A(Some(text))),
            Ok(Reading::End) => return Ok(Either::A(None)),
            Ok(Reading::Nothing) => {}
            Err(failure) => return Err(throw_fields(env, ErrorFields::from(&failure))),
        }
        let (deferred, promise) = Deferred::new(env, Loop::Free)?;
        let waiting = Arc::downgrade(&watcher);
        watcher.when_ready(move || match waiting.upgrade().map(|watcher| read(&watcher)) {
            Some(Ok(Reading::Events(text))) => deferred.resolve(Some(text)),
            Some(Ok(Reading::Nothing)) => deferred.resolve(Some("[]".into())),
            Some(Ok(Reading::End)) | None => deferred.resolve(None),
            Some(Err(failure)) => deferred.settle(Err(failure)),
        });
        Ok(Either::B(promise))
    }

    /// Ends the watcher. A promise of `next` is resolved with null.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        let watcher = self.slot().take();
        drop(watcher);
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Watcher>>> {
        self.watcher.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Reading {
    Events(String),
    Nothing,
    End,
}

fn read(watcher: &Watcher) -> std::result::Result<Reading, WatchFailure> {
    match watcher.read() {
        Ok(Some(text)) => Ok(Reading::Events(text)),
        Ok(None) => Ok(Reading::Nothing),
        Err(None) => Ok(Reading::End),
        Err(Some(error)) => Err(WatchFailure(error)),
    }
}

/// The error that ended the watchers of a network, which they share.
struct WatchFailure(Arc<nsset_net::Error>);

impl From<&WatchFailure> for ErrorFields {
    fn from(failure: &WatchFailure) -> Self {
        (&*failure.0).into()
    }
}
