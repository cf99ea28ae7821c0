//! Whether a thread is outside.

use napi_derive::napi;

/// Whether the calling thread is in the mount namespace in which the addon was loaded: where paths lead to what programs outside control.
#[napi(catch_unwind)]
pub fn has_mounts_of_outside() -> bool {
    nsset::outside::has_mounts_of_outside()
}
