//! What belongs to one JavaScript environment: the main thread's, or a Worker's.

use std::sync::Arc;

use napi::{
    Env, Result,
    bindgen_prelude::{Function, FunctionRef, Unknown},
    threadsafe_function::ThreadsafeFunction,
};
use napi_derive::napi;

use crate::{answer::NativeAnswer, error_fields::ErrorFields, exit_report::ExitReport, held_open::Made};

/// Calls `onExit` when a child ends; weak, so that it alone does not keep the event loop alive.
pub type ExitLine = ThreadsafeFunction<ExitReport, (), ExitReport, napi::Status, false, true>;

/// Calls `onAnswer` when a request about a network has been carried out; weak, too.
pub type AnswerLine = ThreadsafeFunction<NativeAnswer, (), NativeAnswer, napi::Status, false, true>;

/// Lives as long as the environment.
pub struct Environment {
    pub create_error: FunctionRef<ErrorFields, Unknown<'static>>,
    pub exit_line: Arc<ExitLine>,
    pub answer_line: Arc<AnswerLine>,
    /// Sets that were made, and are not taken yet; they are closed with the environment.
    pub made: Arc<Made>,
}

/// Hands over what the native side calls back: how errors are made, and who hears of a child's end and
/// of the answers about networks.
#[napi(catch_unwind)]
pub fn initialize(
    env: Env,
    #[napi(ts_arg_type = "(fields: ErrorFields) => Error")] create_error: Function<'_, ErrorFields, Unknown<'static>>,
    #[napi(ts_arg_type = "(report: ExitReport) => void")] on_exit: Function<'_, ExitReport, ()>,
    #[napi(ts_arg_type = "(answer: NativeAnswer) => void")] on_answer: Function<'_, NativeAnswer, ()>,
) -> Result<()> {
    let create_error = create_error.create_ref()?;
    if let Some(environment) = env.get_instance_data::<Environment>()? {
        // Another copy of the face, which shares what the first one hears with it: the lines stay, and children with them.
        environment.create_error = create_error;
        return Ok(());
    }
    let exit_line = on_exit.build_threadsafe_function().weak::<true>().build()?;
    let answer_line = on_answer.build_threadsafe_function().weak::<true>().build()?;
    let environment = Environment {
        create_error,
        exit_line: Arc::new(exit_line),
        answer_line: Arc::new(answer_line),
        made: Arc::default(),
    };
    env.set_instance_data(environment, (), drop)
}

/// The environment of a thread whose face has been initialized.
pub fn of(env: Env) -> Result<&'static Environment> {
    env.get_instance_data::<Environment>()?
        .map(|environment| &*environment)
        .ok_or_else(|| napi::Error::from_reason("nsset/native has to be initialized first: import 'nsset'"))
}
