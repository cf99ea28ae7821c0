//! Runs when the addon is loaded.

use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;

use crate::{loading::copies, loading::start};

/// Starts the threads. Node.js calls this once in each environment, before JavaScript can enter a set: a new thread inherits the
/// namespaces of the thread that starts it. If a thread cannot be started now, the calls that need it try again and report
/// errors.
#[napi(module_exports)]
#[allow(clippy::unnecessary_wraps, reason = "the macro takes nothing else")]
pub fn load(_exports: Object, env: Env) -> Result<()> {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        copies::share_count();
        // Without /proc this fails. The first call that needs the thread's namespaces tries again, and reports the error.
        let _ = nsset::proc::hold();
        let _ = nsset::thread::remember();
        let _ = start::everything(env);
    }));
    Ok(())
}
