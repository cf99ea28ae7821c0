//! What the copies of this library in a process tell each other of a thread that they share.
//!
//! Each copy remembers where a thread stands, which another copy's `setns` makes stale. So all of them count the moves of
//! a thread in one place: a copy that finds a number that it did not leave there looks again.

use std::{cell::Cell, ptr, sync::OnceLock};

/// Belongs to one thread, and lives as long as it. Other versions of the library read it: what is here stays.
#[repr(C)]
#[derive(Debug)]
pub struct Footprint {
    /// How often any copy has moved the thread.
    moves: Cell<u64>,
    /// How many copies have the thread elsewhere than where they first saw it.
    away: Cell<u32>,
}

/// Gives the footprint of the thread that calls it.
pub type Provider = extern "C" fn() -> *const Footprint;

thread_local! {
    static OWN: Footprint = const { Footprint { moves: Cell::new(0), away: Cell::new(0) } };
}

static PROVIDER: OnceLock<Provider> = OnceLock::new();

/// This copy's own, for others to share.
pub fn own() -> *const Footprint {
    OWN.with(ptr::from_ref)
}

/// From now on this copy counts where another one does.
///
/// # Safety
///
/// The provider has to be another copy's [`own`], or this one's, in an object that stays mapped.
pub unsafe fn share(provider: Provider) {
    let _ = PROVIDER.set(provider);
}

fn with<T>(call: impl FnOnce(&Footprint) -> T) -> T {
    let shared = PROVIDER.get().map_or(ptr::null(), |provider| provider());
    // SAFETY: `share` vouches for it; it belongs to the calling thread, and ends no sooner.
    match unsafe { shared.as_ref() } {
        Some(shared) => call(shared),
        None => OWN.with(call),
    }
}

/// How often the calling thread was moved.
pub fn moves() -> u64 {
    with(|footprint| footprint.moves.get())
}

/// The calling thread was moved; how often it was by now.
pub fn step() -> u64 {
    with(|footprint| {
        footprint.moves.set(footprint.moves.get().wrapping_add(1));
        footprint.moves.get()
    })
}

/// This copy has taken the thread away from where it first saw it, or has brought it back.
pub fn set_away(is_away: bool) {
    with(|footprint| {
        let before = footprint.away.get();
        footprint.away.set(if is_away { before.saturating_add(1) } else { before.saturating_sub(1) });
    });
}

/// Whether any copy has the calling thread away.
pub fn is_away() -> bool {
    with(|footprint| footprint.away.get() > 0)
}
