//! Cancels operations: a running operation is stopped, and a waiting one does not start.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use napi::{Env, Result};
use napi_derive::napi;
use nsset::{Cancel, Error, TIME_LIMIT};

use crate::{
    deferred::Deferred,
    failure::guard,
    network_thread::waiting,
    sets::{set::NativeSet, work::caught},
};

/// Cancels an operation.
#[napi]
pub struct NativeCanceller {
    cancel: Option<Cancel>,
    /// The operation, while it waits for its turn.
    turn: RefCell<Option<Turn>>,
}

impl NativeCanceller {
    /// Returns what stops the operation while it runs.
    pub fn cancel(&self) -> Option<Cancel> {
        self.cancel.clone()
    }

    /// Also aborts this operation on `cancel`, if it is still waiting then.
    pub fn end_waiting(&self, turn: Turn) {
        self.turn.replace(Some(turn));
    }
}

#[napi]
impl NativeCanceller {
    #[napi(catch_unwind, constructor)]
    pub fn new(env: Env) -> Result<Self> {
        guard(env, || Ok(Self { cancel: Some(Cancel::new()?), turn: RefCell::default() }))
    }

    #[napi(catch_unwind, js_name = "cancel")]
    pub fn cancel_now(&self) {
        if let Some(cancel) = &self.cancel {
            cancel.cancel();
        }
        if let Some(turn) = self.turn.take() {
            turn.abort();
        }
    }

    /// To be called when the operation has ended.
    #[napi(catch_unwind)]
    pub fn release(&mut self) {
        self.cancel = None;
        self.turn.take();
    }
}

/// The turn of work in a queue: the work either runs or is aborted before.
#[derive(Clone)]
pub struct Turn {
    deferred: Deferred<NativeSet>,
    is_over: Arc<AtomicBool>,
    since: Instant,
}

impl Turn {
    pub fn of(deferred: &Deferred<NativeSet>) -> Self {
        Self { deferred: deferred.clone(), is_over: Arc::default(), since: Instant::now() }
    }

    /// Returns whether the work was begun by `run`, or aborted.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Runs the work and settles the promise, if the work was not aborted before.
    pub fn take(&self, work: impl FnOnce() -> nsset::Result<NativeSet>) {
        self.run(work)();
    }

    /// Runs the work, if it was not aborted before. The returned function settles the promise.
    pub fn run(&self, work: impl FnOnce() -> nsset::Result<NativeSet>) -> Box<dyn FnOnce() + Send> {
        let is_aborted = self.is_over.swap(true, Ordering::AcqRel);
        let is_in_time = self.since.elapsed() < TIME_LIMIT;
        let outcome = (!is_aborted).then(|| if is_in_time { caught(work) } else { Err(waiting::too_late()) });
        let deferred = self.deferred.clone();
        Box::new(move || outcome.into_iter().for_each(|outcome| deferred.settle(outcome)))
    }

    /// Aborts the work, if it does not run yet.
    pub fn abort(&self) {
        if !self.is_over.swap(true, Ordering::AcqRel) {
            self.deferred.settle(Err(Error::Aborted));
        }
    }
}
