//! What belongs to one JavaScript environment: the main thread's, or a Worker's.

use std::sync::Arc;

use napi::{
    Env, Result,
    bindgen_prelude::{Function, FunctionRef, Unknown},
};
use napi_derive::napi;

use crate::{error_fields::ErrorFields, settler::Settler};

/// The data of an environment. Node.js drops it when the environment ends.
pub struct Environment {
    pub create_error: FunctionRef<ErrorFields, Unknown<'static>>,
    /// Settles promises.
    pub settler: Arc<Settler>,
}

/// Stores the function that creates JavaScript errors.
#[napi(catch_unwind)]
pub fn initialize(
    env: Env,
    #[napi(ts_arg_type = "(fields: ErrorFields) => Error")] create_error: Function<'_, ErrorFields, Unknown<'static>>,
) -> Result<()> {
    let create_error = create_error.create_ref()?;
    if let Some(environment) = env.get_instance_data::<Environment>()? {
        // Another copy of the TypeScript API. The promises of the first copy are settled as before.
        environment.create_error = create_error;
        return Ok(());
    }
    env.set_instance_data(Environment { create_error, settler: Settler::new(env)? }, (), drop)
}

/// Returns the data of the calling thread's environment. Fails if `initialize` was not called there.
pub fn of(env: Env) -> Result<&'static Environment> {
    env.get_instance_data::<Environment>()?
        .map(|environment| &*environment)
        .ok_or_else(|| napi::Error::from_reason("nsset/native must be initialized first: import 'nsset'"))
}

/// Keeps the event loop alive until `release` has been called as many times as `hold`.
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
