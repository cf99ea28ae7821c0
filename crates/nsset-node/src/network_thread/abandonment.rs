//! Requests that the caller gives up before they are complete.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use napi_derive::napi;
use tokio::sync::Notify;

/// The state of a request: whether it is abandoned.
#[derive(Default)]
pub struct Abandonment {
    has_happened: AtomicBool,
    happening: Notify,
}

impl Abandonment {
    pub fn has_happened(&self) -> bool {
        self.has_happened.load(Ordering::Acquire)
    }

    /// Returns when the request is abandoned.
    pub async fn happens(&self) {
        // Created before the check, so that it also gets a notification between the check and the wait.
        let happening = self.happening.notified();
        if !self.has_happened() {
            happening.await;
        }
    }
}

/// Ends requests before their next operation; a request that waits for processes inside ends at once. The outcome of a request
/// has the results up to then.
#[napi]
#[derive(Default)]
pub struct NativeAbandonment(Arc<Abandonment>);

impl NativeAbandonment {
    pub fn share(&self) -> Arc<Abandonment> {
        Arc::clone(&self.0)
    }
}

#[napi]
impl NativeAbandonment {
    #[napi(catch_unwind, constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    #[napi(catch_unwind)]
    pub fn abandon(&self) {
        self.0.has_happened.store(true, Ordering::Release);
        self.0.happening.notify_waiters();
    }
}
