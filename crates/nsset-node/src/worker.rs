//! How the thread of a Worker enters before anything of the user's runs in it.

use napi::{Env, Result};
use napi_derive::napi;
use nsset::admission;

use crate::{convert::kinds_of, error_fields::ErrorFields, failure::guard, set::NativeSet};

#[napi]
impl NativeSet {
    /// Leaves the set for the thread of a Worker; the number is what `enterAdmitted` takes there.
    #[napi]
    pub fn admit(&self, env: Env, kinds: u32) -> Result<u32> {
        guard(env, || {
            let set = self.open()?;
            admission::admit(&set, kinds_of(&set, kinds)?)
        })
    }
}

/// Enters for good what was left for this thread. It is called before the face is there to make errors, and so returns
/// what one is made of.
#[napi]
pub fn enter_admitted(ticket: u32) -> Option<ErrorFields> {
    admission::enter(ticket).err().as_ref().map(ErrorFields::from)
}

/// The Worker has not come, or is gone.
#[napi]
pub fn withdraw_admission(ticket: u32) {
    admission::withdraw(ticket);
}

/// The file that this addon was loaded from, as a URL.
#[napi]
pub fn addon_url(env: Env) -> Result<String> {
    env.get_module_file_name()
}
