//! What belongs to one JavaScript environment (the main thread's, or a Worker's), and what starts when the addon loads.

use std::sync::Arc;

use napi::{
    Env, Result, Status, Task,
    bindgen_prelude::{Function, FunctionRef, Object, Unknown},
    sys,
    threadsafe_function::ThreadsafeFunction,
};
use napi_derive::napi;

use crate::{
    error_fields::ErrorFields,
    exit_report::ExitReport,
    network::{self, AnswerLine, NativeAnswer},
};

/// Calls `onExit` when a child ends; weak, so that it alone does not keep the event loop alive.
pub type ExitLine = ThreadsafeFunction<ExitReport, (), ExitReport, napi::Status, false, true>;

/// Lives as long as the environment.
pub struct Environment {
    pub create_error: FunctionRef<ErrorFields, Unknown<'static>>,
    pub exit_line: Arc<ExitLine>,
    pub answer_line: Arc<AnswerLine>,
}

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

/// Hands over what the native side calls back: how errors are made, and who hears of a child's end and
/// of the answers about networks.
#[napi]
pub fn initialize(
    env: Env,
    #[napi(ts_arg_type = "(fields: ErrorFields) => Error")] create_error: Function<'_, ErrorFields, Unknown<'static>>,
    #[napi(ts_arg_type = "(report: ExitReport) => void")] on_exit: Function<'_, ExitReport, ()>,
    #[napi(ts_arg_type = "(answer: NativeAnswer) => void")] on_answer: Function<'_, NativeAnswer, ()>,
) -> Result<()> {
    let exit_line = on_exit.build_threadsafe_function().weak::<true>().build()?;
    let answer_line = on_answer.build_threadsafe_function().weak::<true>().build()?;
    let environment = Environment {
        create_error: create_error.create_ref()?,
        exit_line: Arc::new(exit_line),
        answer_line: Arc::new(answer_line),
    };
    env.set_instance_data(environment, (), drop)
}

/// The environment of a thread whose face has been initialized.
pub fn of(env: Env) -> Result<&'static Environment> {
    env.get_instance_data::<Environment>()?
        .map(|environment| &*environment)
        .ok_or_else(|| napi::Error::from_reason("nsset/native has to be initialized first: import 'nsset'"))
}

/// Whether a line keeps the event loop alive.
pub fn keep_alive<T: 'static, R: 'static + napi::bindgen_prelude::JsValuesTupleIntoVec>(
    env: Env,
    line: &ThreadsafeFunction<T, (), R, Status, false, true>,
    alive: bool,
) {
    // SAFETY: the line lives as long as the environment, whose thread this is.
    unsafe {
        if alive {
            sys::napi_ref_threadsafe_function(env.raw(), line.raw());
        } else {
            sys::napi_unref_threadsafe_function(env.raw(), line.raw());
        }
    }
}
