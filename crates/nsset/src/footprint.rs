//! The state of a thread that all copies of this library in a process share.
//!
//! Each copy remembers the namespaces of a thread, and the `setns` of another copy makes that stale. So all copies
//! count the moves of a thread in one place: a copy reads the namespaces again if the number is not the one that it
//! left.

use std::{cell::Cell, ptr, sync::OnceLock};

/// Belongs to one thread, and lives as long as it. Other versions of the library read it, so its layout must not
/// change.
#[repr(C)]
#[derive(Debug)]
pub struct Footprint {
    /// The number of moves of the thread by any copy.
    moves: Cell<u64>,
    /// The number of copies that have moved the thread away from where they first saw it.
    away: Cell<u32>,
}

/// Returns the footprint of the calling thread.
pub type Provider = extern "C" fn() -> *const Footprint;

thread_local! {
    static OWN: Footprint = const { Footprint { moves: Cell::new(0), away: Cell::new(0) } };
}

static PROVIDER: OnceLock<Provider> = OnceLock::new();

/// The footprint of this copy, for other copies to share.
pub fn own() -> *const Footprint {
    OWN.with(ptr::from_ref)
}

/// Makes this copy use the footprint of another one.
///
/// # Safety
///
/// The provider has to be [`own`] of another copy, or of this one, in a shared object that stays mapped.
pub unsafe fn share(provider: Provider) {
    let _ = PROVIDER.set(provider);
}

fn with<T>(call: impl FnOnce(&Footprint) -> T) -> T {
    let shared = PROVIDER.get().map_or(ptr::null(), |provider| provider());
    // SAFETY: the caller of `share` guarantees it; it belongs to the calling thread, and lives as long as that.
    match unsafe { shared.as_ref() } {
        Some(shared) => call(shared),
        None => OWN.with(call),
    }
}

/// The number of moves of the calling thread.
pub fn moves() -> u64 {
    with(|footprint| footprint.moves.get())
}

/// Counts a move of the calling thread, and returns the new number.
pub fn step() -> u64 {
    with(|footprint| {
        footprint.moves.set(footprint.moves.get().wrapping_add(1));
        footprint.moves.get()
    })
}

/// Notes that this copy has moved the thread away from where it first saw it, or back.
pub fn set_away(is_away: bool) {
    with(|footprint| {
        let before = footprint.away.get();
        footprint.away.set(if is_away { before.saturating_add(1) } else { before.saturating_sub(1) });
    });
}

/// Whether any copy has moved the calling thread away.
pub fn is_away() -> bool {
    with(|footprint| footprint.away.get() > 0)
}
