//! What starts when the addon is loaded.

use napi::{Env, Result, Task, bindgen_prelude::Object};
use napi_derive::napi;

use crate::network;

/// Runs once in each environment, before anything can have been entered: every thread that will ever be started is
/// started here, since a thread inherits the namespaces of the one that starts it.
#[napi(module_exports)]
pub fn load(_exports: Object, env: Env) -> Result<()> {
    // A thread that cannot be looked at (no /proc) is looked at again, and the error told, when something is asked of it.
    let _ = nsset::proc::hold();
    let _ = nsset::thread::remember();
    nsset::reaper::start();
    network::start();
    start_pool(env)
}

/// libuv starts all threads of its pool at the first piece of work.
fn start_pool(env: Env) -> Result<()> {
    env.spawn(Nothing).map(drop)
}

struct Nothing;

impl Task for Nothing {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        Ok(())
    }

    fn resolve(&mut self, _env: Env, (): ()) -> Result<()> {
        Ok(())
    }
}
