//! The network of a set, as an object of JavaScript.

use std::sync::{Arc, Mutex, PoisonError};

use napi::{Env, Result, bindgen_prelude::ClassInstance};
use napi_derive::napi;
use nsset::Kind;

use crate::{
    environment,
    failure::guard,
    network::{handles::connections::Connections, inside::Inside, operation, sockets::Sockets},
    network_thread::{reply::Reply, thread, under_way::UnderWay},
    sets::set::NativeSet,
};

/// The native part of a `Network`. It holds the set's namespaces until it is closed.
#[napi]
pub struct NativeNetwork {
    pub(super) inside: Inside,
    under_way: UnderWay,
    pub(super) connections: Connections,
}

impl Drop for NativeNetwork {
    /// Who would take a connection is gone, as a Worker that is terminated.
    fn drop(&mut self) {
        self.connections.drop_all();
    }
}

#[napi]
impl NativeSet {
    /// The set's network. Nothing is opened yet.
    #[napi(catch_unwind)]
    pub fn network(&self, env: Env) -> Result<NativeNetwork> {
        self.with(env, |set| {
            set.get(Kind::Net)?;
            let inside = Arc::new(Mutex::new(Some(Arc::new(Sockets::of(set.clone())))));
            Ok(NativeNetwork { inside, under_way: UnderWay::default(), connections: Connections::default() })
        })
    }
}

#[napi]
impl NativeNetwork {
    /// Has operations carried out in order, up to the first that fails; the answer is told by `id`. `operations` is the
    /// text of a JSON array; the networks that they name by number are `others`.
    #[napi(catch_unwind)]
    pub fn request(
        &self,
        env: Env,
        id: u32,
        operations: String,
        others: Vec<ClassInstance<'_, NativeNetwork>>,
    ) -> Result<()> {
        let reply = Reply::new(id, Arc::clone(&environment::of(env)?.answer_line));
        let inside = Arc::clone(&self.inside);
        let others: Vec<_> = others.iter().map(|other| Arc::clone(&other.inside)).collect();
        guard(env, || {
            let request = self.under_way.begin(id);
            thread::run(move || async move {
                operation::run(&operations, &inside, &others, request.abandonment(), reply).await;
            })
        })
    }

    /// Has a request end before its next operation, and where it waits for those inside, at once; what it has come to by
    /// then is told.
    #[napi(catch_unwind)]
    pub fn abandon(&self, id: u32) {
        self.under_way.abandon(id);
    }

    /// Closes its sockets, once what is under way has ended.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        if let Some(sockets) = self.inside.lock().unwrap_or_else(PoisonError::into_inner).take() {
            sockets.close();
        }
    }
}
