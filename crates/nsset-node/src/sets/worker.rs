//! Makes the thread of a Worker enter a set before the Worker's program runs.

use napi::{Env, Result};
use napi_derive::napi;
use nsset::admission::{self, Admission};

use crate::{convert::kinds_of, error_fields::ErrorFields, failure::guard, loading::start, sets::set::NativeSet};

#[napi]
impl NativeSet {
    /// Makes the set available to the thread of a Worker.
    #[napi(catch_unwind)]
    pub fn admit(&self, env: Env, kinds: u32) -> Result<NativeAdmission> {
        guard(env, || {
            start::everything(env)?;
            let set = self.open()?;
            let admission = admission::admit(&set, kinds_of(&set, kinds)?)?;
            Ok(NativeAdmission { ticket: admission.ticket(), admission: Some(admission) })
        })
    }
}

/// A set that the thread of a Worker may enter. It is withdrawn at the latest when the environment that created it ends.
#[napi]
pub struct NativeAdmission {
    ticket: u32,
    admission: Option<Admission>,
}

#[napi]
impl NativeAdmission {
    /// The argument of `enterAdmitted`, which the thread of the Worker calls.
    #[napi(catch_unwind, getter)]
    pub fn ticket(&self) -> u32 {
        self.ticket
    }

    /// Withdraws the set. To be called when the Worker did not start or has ended.
    #[napi(catch_unwind)]
    pub fn withdraw(&mut self) {
        self.admission = None;
    }
}

/// Permanently enters a set that was made available to this thread. The TypeScript API, which creates errors, is not loaded yet,
/// so this returns the fields of an error.
#[napi(catch_unwind)]
pub fn enter_admitted(env: Env, ticket: u32) -> Option<ErrorFields> {
    start::everything(env).and_then(|()| admission::enter(ticket)).err().as_ref().map(ErrorFields::from)
}

/// Returns the URL of the file that this addon was loaded from.
#[napi(catch_unwind)]
pub fn addon_url(env: Env) -> Result<String> {
    env.get_module_file_name()
}
