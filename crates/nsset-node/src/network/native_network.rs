//! The native part of a set's network.

use std::{
    cell::OnceCell,
    sync::{Arc, Mutex, PoisonError},
};

use napi::{Env, Result, bindgen_prelude::ClassInstance};
use napi_derive::napi;
use nsset::Kind;

use crate::{
    deferred::{Loop, Promise},
    failure::guard,
    network::{
        inside::{Inside, open},
        operations,
        outcome::PromisedResults,
        parts::NativeOutcome,
        sockets::Sockets,
    },
    network_thread::{abandonment::NativeAbandonment, thread},
    sets::set::NativeSet,
};

/// The native part of a `Network`. It holds the set's namespaces until it is closed.
#[napi]
pub struct NativeNetwork {
    pub(super) inside: Inside,
    /// The sockets for `requestSync`, which only this thread uses.
    blocking: OnceCell<Inside>,
}

impl NativeNetwork {
    fn blocking(&self) -> &Inside {
        self.blocking.get_or_init(|| {
            let sockets = open(&self.inside).ok().map(|sockets| Arc::new(sockets.blocking()));
            Arc::new(Mutex::new(sockets))
        })
    }
}

#[napi]
impl NativeSet {
    /// Returns the set's network. Its sockets are opened on first use.
    #[napi(catch_unwind)]
    pub fn network(&self, env: Env) -> Result<NativeNetwork> {
        self.with(env, |set| {
            set.get(Kind::Net)?;
            let inside = Arc::new(Mutex::new(Some(Arc::new(Sockets::of(set.clone())))));
            Ok(NativeNetwork { inside, blocking: OnceCell::new() })
        })
    }
}

#[napi]
impl NativeNetwork {
    /// Runs operations in order, up to the first that fails, or until the request is abandoned. `operations` is the text of a
    /// JSON array. Operations refer to other networks by their index in `others`.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeOutcome | null>")]
    pub fn request(
        &self,
        env: Env,
        operations: String,
        others: Vec<ClassInstance<'_, NativeNetwork>>,
        abandonment: Option<&NativeAbandonment>,
    ) -> Result<Promise<Option<NativeOutcome>>> {
        let inside = Arc::clone(&self.inside);
        let others: Vec<_> = others.iter().map(|other| Arc::clone(&other.inside)).collect();
        let abandonment = abandonment.map(NativeAbandonment::share).unwrap_or_default();
        thread::promise_soon(env, Loop::Held, move |deferred| async move {
            operations::run(&operations, &inside, &others, &abandonment, PromisedResults::new(deferred)).await;
        })
    }

    /// Like `request`, on the calling thread, which waits for the kernel and for processes inside.
    #[napi(catch_unwind)]
    pub fn request_sync(
        &self,
        env: Env,
        operations: String,
        others: Vec<ClassInstance<'_, NativeNetwork>>,
    ) -> Result<Option<NativeOutcome>> {
        guard(env, || {
            let others: Vec<_> = others.iter().map(|other| Arc::clone(other.blocking())).collect();
            Ok(operations::run_blocking(&operations, self.blocking(), &others))
        })
    }

    /// Closes the sockets when the running requests have ended.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        if let Some(blocking) = self.blocking.get() {
            blocking.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        if let Some(sockets) = self.inside.lock().unwrap_or_else(PoisonError::into_inner).take() {
            sockets.close();
        }
    }
}
