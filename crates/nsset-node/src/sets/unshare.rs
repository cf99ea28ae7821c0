//! Creates namespaces, synchronously or with a promise.

use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;
use nsset::{Kinds, UnshareOptions};

use crate::{
    convert::optional_kinds,
    deferred::Promise,
    failure::guard,
    sets::work,
    sets::{canceller::NativeCanceller, set::NativeSet},
};

/// Creates namespaces. With a base, the result also holds the base's namespaces of the other kinds.
#[napi(catch_unwind, ts_args_type = "base: NativeSet | undefined | null, kinds: number, options: object")]
pub fn unshare_sync(env: Env, base: Option<&NativeSet>, kinds: u32, options: Object<'_>) -> Result<NativeSet> {
    let options: UnshareOptions = env.from_js_value(options)?;
    guard(env, || {
        let base = base.map(NativeSet::open).transpose()?;
        nsset::unshare(base.as_deref(), kinds_named(kinds)?, &options, None).map(NativeSet::from)
    })
}

/// Like `unshareSync`, but on another thread. `canceller` cancels it. The work runs on libuv's pool. If processes inside the base
/// may block it, it runs on a thread where it blocks only work on that base.
#[napi(
    catch_unwind,
    ts_args_type = "base: NativeSet | undefined | null, kinds: number, options: object, canceller?: NativeCanceller",
    ts_return_type = "Promise<NativeSet>"
)]
pub fn unshare(
    env: Env,
    base: Option<&NativeSet>,
    kinds: u32,
    options: Object<'_>,
    canceller: Option<&NativeCanceller>,
) -> Result<Promise<NativeSet>> {
    let options: UnshareOptions = env.from_js_value(options)?;
    let kinds = guard(env, || kinds_named(kinds))?;
    if let Some(base) = base
        && guard(env, || base.goes_inside(kinds))?
    {
        return base.unshare_below(env, kinds, options, canceller);
    }
    let stay = base.and_then(NativeSet::stay);
    let base = guard(env, || base.map(|base| base.open().map(|base| base.clone())).transpose())?;
    let cancel = canceller.and_then(NativeCanceller::cancel);
    work::run(env, move || {
        let made = nsset::unshare(base.as_ref(), kinds, &options, cancel.as_ref())?;
        let made = NativeSet::from(made);
        // Kept until now so that the result keeps the base's pid namespace alive, even if the base was closed.
        drop(stay);
        Ok(made)
    })
}

fn kinds_named(mask: u32) -> nsset::Result<Kinds> {
    Ok(optional_kinds(mask)?.unwrap_or(Kinds::NONE))
}
