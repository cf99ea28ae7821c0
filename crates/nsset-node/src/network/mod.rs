//! The network inside a set: requests from JavaScript, carried out on one thread for all sets.

pub mod abandonment;
mod endpoints;
mod failure;
mod file;
mod handles;
mod keys;
mod operation;
pub mod outcome;
mod resolve;
mod sockets;
pub mod thread;
pub mod turns;
pub mod waiting;

use std::sync::{Arc, Mutex, PoisonError};

use napi::{Env, Result, bindgen_prelude::ClassInstance};
use napi_derive::napi;
use nsset::{Error, Kind};

pub use self::thread::start;
use self::{
    abandonment::NativeAbandonment,
    outcome::{NativeOutcome, Results},
    sockets::Sockets,
};
use crate::{
    bridge::deferred::{Loop, Promise},
    sets::set::NativeSet,
};

/// What is open of a network; nothing once it is closed.
pub type Inside = Arc<Mutex<Option<Arc<Sockets>>>>;

/// The native part of a `Network`. It holds the set's namespaces until it is closed.
#[napi]
pub struct NativeNetwork {
    inside: Inside,
}

#[napi]
impl NativeSet {
    /// The set's network. Nothing is opened yet.
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
    /// Has operations carried out in order, up to the first that fails, or until the request is abandoned. `operations` is the
    /// text of a JSON array; the networks that they name by number are `others`.
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

    /// Closes its sockets, once what is under way has ended.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        if let Some(sockets) = self.inside.lock().unwrap_or_else(PoisonError::into_inner).take() {
            sockets.close();
        }
    }
}

/// What is open, or the error that it is closed.
fn open(inside: &Inside) -> nsset::Result<Arc<Sockets>> {
    inside.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::Closed)
}
