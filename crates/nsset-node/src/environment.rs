//! What belongs to one JavaScript environment (the main thread's, or a Worker's), and what starts when the addon loads.

use std::sync::Arc;

use napi::{
    Env, Result, Task,
    bindgen_prelude::{Function, FunctionRef, Object, Unknown},
    threadsafe_function::ThreadsafeFunction,
};
use napi_derive::napi;

use crate::{error_fields::ErrorFields, exit_report::ExitReport};

/// Calls `onExit` when a child ends; weak, so that it alone does not keep the event loop alive.
pub type ExitLine = ThreadsafeFunction<ExitReport, (), ExitReport, napi::Status, false, true>;

/// Lives as long as the environment.
pub struct Environment {
    pub create_error: FunctionRef<ErrorFields, Unknown<'static>>,
    pub exit_line: Arc<ExitLine>,
}

/// Runs once in each environment, before anything can have been entered: every thread that will ever be started is
/// started here, since a thread inherits the namespaces of the one that starts it.
#[napi(module_exports)]
pub fn load(_exports: Object, env: Env) -> Result<()> {
    // A thread that cannot be looked at (no /proc) is looked at again, and the error told, when something is asked of it.
    let _ = nsset::proc::hold();
    let _ = nsset::thread::remember();
    nsset::reaper::start();
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

/// Hands over what the native side calls back: how errors are made, and who hears of a child's end.
#[napi]
pub fn initialize(
    env: Env,
    #[napi(ts_arg_type = "(fields: ErrorFields) => Error")] create_error: Function<'_, ErrorFields, Unknown<'static>>,
    #[napi(ts_arg_type = "(report: ExitReport) => void")] on_exit: Function<'_, ExitReport, ()>,
) -> Result<()> {
    let exit_line = on_exit.build_threadsafe_function().weak::<true>().build()?;
    let environment = Environment { create_error: create_error.create_ref()?, exit_line: Arc::new(exit_line) };
    env.set_instance_data(environment, (), drop)
}

/// The environment of a thread whose face has been initialized.
pub fn of(env: Env) -> Result<&'static Environment> {
    env.get_instance_data::<Environment>()?
        .map(|environment| &*environment)
        .ok_or_else(|| napi::Error::from_reason("nsset/native has to be initialized first: import 'nsset'"))
}
