//! Requests whose rest is not wanted any more.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use napi_derive::napi;
use tokio::sync::Notify;

/// Whether a request is abandoned.
#[derive(Default)]
pub struct Abandonment {
    has_happened: AtomicBool,
    happening: Notify,
}

impl Abandonment {
    pub fn has_happened(&self) -> bool {
        self.has_happened.load(Ordering::Acquire)
    }

    /// Ends when the request is abandoned.
    pub async fn happens(&self) {
        // Made before the look: it does not miss what happens after.
        let happening = self.happening.notified();
        if !self.has_happened() {
            happening.await;
        }
    }
}

/// Ends requests before their next operation, and where they wait for those inside, at once. What they have come to by then
/// is their outcome.
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
