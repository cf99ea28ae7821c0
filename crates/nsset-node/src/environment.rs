//! What belongs to one JavaScript environment: the main thread's, or a Worker's.

use std::sync::Arc;

use napi::{
    Env, Result,
    bindgen_prelude::{Function, FunctionRef, Unknown},
};
use napi_derive::napi;

use crate::{error_fields::ErrorFields, settler::Settler};

/// Lives as long as the environment.
pub struct Environment {
    pub create_error: FunctionRef<ErrorFields, Unknown<'static>>,
    /// Settles promises.
    pub settler: Arc<Settler>,
}

/// Hands over how errors are made.
#[napi(catch_unwind)]
pub fn initialize(
    env: Env,
    #[napi(ts_arg_type = "(fields: ErrorFields) => Error")] create_error: Function<'_, ErrorFields, Unknown<'static>>,
) -> Result<()> {
    let create_error = create_error.create_ref()?;
    if let Some(environment) = env.get_instance_data::<Environment>()? {
        // Another copy of the face. Promises of the first one are settled as ever.
        environment.create_error = create_error;
        return Ok(());
    }
    env.set_instance_data(Environment { create_error, settler: Settler::new(env)? }, (), drop)
}

/// The environment of a thread whose face has been initialized.
pub fn of(env: Env) -> Result<&'static Environment> {
    env.get_instance_data::<Environment>()?
        .map(|environment| &*environment)
        .ok_or_else(|| napi::Error::from_reason("nsset/native has to be initialized first: import 'nsset'"))
}

/// Keeps the event loop alive until `release` was called as often.
#[napi(catch_unwind)]
pub fn hold(env: Env) -> Result<()> {
    of(env)?.settler.hold(env);
    Ok(())
}

#[napi(catch_unwind)]
pub fn release(env: Env) -> Result<()> {
    of(env)?.settler.release(env);
    Ok(())
}
