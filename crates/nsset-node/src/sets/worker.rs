//! How the thread of a Worker enters before anything of the user's runs in it.

use napi::{Env, Result};
use napi_derive::napi;
use nsset::admission::{self, Admission};

use crate::{convert::kinds_of, error_fields::ErrorFields, failure::guard, loading::start, sets::set::NativeSet};

#[napi]
impl NativeSet {
    /// Leaves the set for the thread of a Worker.
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

/// What was left for the thread of a Worker; withdrawn at the latest when the environment that left it ends.
#[napi]
pub struct NativeAdmission {
    ticket: u32,
    admission: Option<Admission>,
}

#[napi]
impl NativeAdmission {
    /// What `enterAdmitted` takes, in the thread of the Worker.
    #[napi(catch_unwind, getter)]
    pub fn ticket(&self) -> u32 {
        self.ticket
    }

    /// The Worker has not come, or is gone.
    #[napi(catch_unwind)]
    pub fn withdraw(&mut self) {
        self.admission = None;
    }
}

/// Enters for good what was left for this thread. It is called before the face is there to make errors, and so returns
/// what one is made of.
#[napi(catch_unwind)]
pub fn enter_admitted(env: Env, ticket: u32) -> Option<ErrorFields> {
    start::everything(env).and_then(|()| admission::enter(ticket)).err().as_ref().map(ErrorFields::from)
}

/// The file that this addon was loaded from, as a URL.
#[napi(catch_unwind)]
pub fn addon_url(env: Env) -> Result<String> {
    env.get_module_file_name()
}
