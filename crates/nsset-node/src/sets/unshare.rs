//! Creates namespaces, synchronously or with a promise.

use napi::{Env, Error, Result, bindgen_prelude::Object};
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
#[napi(
    catch_unwind,
    ts_args_type = "base: NativeSet | undefined | null, kinds: number, options: object, mounts?: string"
)]
pub fn unshare_sync(
    env: Env,
    base: Option<&NativeSet>,
    kinds: u32,
    options: Object<'_>,
    mounts: Option<String>,
) -> Result<NativeSet> {
    let options = options_from(env, options, mounts.as_deref())?;
    guard(env, || {
        let base = base.map(NativeSet::open).transpose()?;
        nsset::unshare(base.as_deref(), kinds_named(kinds)?, &options, None).map(NativeSet::from)
    })
}

/// Like `unshareSync`, but on another thread. `canceller` cancels it. The work runs on libuv's pool. If processes inside the base
/// may block it, it runs on a thread where it blocks only work on that base.
#[napi(
    catch_unwind,
    ts_args_type = "base: NativeSet | undefined | null, kinds: number, options: object, mounts?: string, canceller?: NativeCanceller",
    ts_return_type = "Promise<NativeSet>"
)]
pub fn unshare(
    env: Env,
    base: Option<&NativeSet>,
    kinds: u32,
    options: Object<'_>,
    mounts: Option<String>,
    canceller: Option<&NativeCanceller>,
) -> Result<Promise<NativeSet>> {
    let options = options_from(env, options, mounts.as_deref())?;
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

/// The options. Their mounts may be in a text of JSON: one text crosses faster than many objects.
fn options_from(env: Env, options: Object<'_>, mounts: Option<&str>) -> Result<UnshareOptions> {
    let mut options: UnshareOptions = env.from_js_value(options)?;
    if let Some(mounts) = mounts {
        options.mounts = serde_json::from_str(mounts).map_err(|error| Error::from_reason(error.to_string()))?;
    }
    Ok(options)
}

fn kinds_named(mask: u32) -> nsset::Result<Kinds> {
    Ok(optional_kinds(mask)?.unwrap_or(Kinds::NONE))
}
