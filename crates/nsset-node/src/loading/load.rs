//! What starts when the addon is loaded.

use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;

use crate::{loading::copies, loading::start};

/// Runs once in each environment, before anything can have been entered: a thread inherits the namespaces of the one that
/// starts it. What cannot be started now is started by the calls that need it; they tell what is wrong.
#[napi(module_exports)]
#[allow(clippy::unnecessary_wraps, reason = "the macro takes nothing else")]
pub fn load(_exports: Object, env: Env) -> Result<()> {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        copies::meet();
        // A thread that cannot be looked at (no /proc) is looked at again, and the error told, when something is asked of it.
        let _ = nsset::proc::hold();
        let _ = nsset::thread::remember();
        let _ = start::everything(env);
    }));
    Ok(())
}
