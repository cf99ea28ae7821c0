//! The native part of a set's network.

use std::sync::{Arc, Mutex, PoisonError};

use napi::{Env, Result, bindgen_prelude::ClassInstance};
use napi_derive::napi;
use nsset::Kind;

use crate::{
    deferred::{Loop, Promise},
    network::{
        inside::Inside,
        operation,
        outcome::{NativeOutcome, Results},
        sockets::Sockets,
    },
    network_thread::{abandonment::NativeAbandonment, thread},
    sets::set::NativeSet,
};

/// The native part of a `Network`. It holds the set's namespaces until it is closed.
#[napi]
pub struct NativeNetwork {
    pub(super) inside: Inside,
}

#[napi]
impl NativeSet {
    /// Returns the set's network. Its sockets are opened on first use.
    #[napi(catch_unwind)]
    pub fn network(&self, env: Env) -> Result<NativeNetwork> {
        self.with(env, |set| {
            set.get(Kind::Net)?;
            Ok(NativeNetwork { inside: Arc::new(Mutex::new(Some(Arc::new(Sockets::of(set.clone()))))) })
        })
    }
}

#[napi]
impl NativeNetwork {
    /// Runs operations in order, up to the first that fails, or until the request is abandoned. `operations` is the text of a
    /// JSON array. Operations refer to other networks by their index in `others`.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeOutcome>")]
    pub fn request(
        &self,
        env: Env,
        operations: String,
        others: Vec<ClassInstance<'_, NativeNetwork>>,
        abandonment: Option<&NativeAbandonment>,
    ) -> Result<Promise<NativeOutcome>> {
        let inside = Arc::clone(&self.inside);
        let others: Vec<_> = others.iter().map(|other| Arc::clone(&other.inside)).collect();
        let abandonment = abandonment.map(NativeAbandonment::share).unwrap_or_default();
        thread::promise(env, Loop::Held, move |deferred| async move {
            operation::run(&operations, &inside, &others, &abandonment, Results::new(deferred)).await;
        })
    }

    /// Closes the sockets when the running requests have ended.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        if let Some(sockets) = self.inside.lock().unwrap_or_else(PoisonError::into_inner).take() {
            sockets.close();
        }
    }
}
