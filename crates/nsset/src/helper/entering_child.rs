//! Starts a program in namespaces that a child may enter while it shares our memory: those that do not guard memory. So
//! one program is executed instead of two.

use std::{ffi::CString, ptr};

use libc::{c_int, c_void};
use nix::errno::Errno;
use nsset_helper::{
    entering_child::{self, Failure},
    protocol::About,
    syscall,
};

use crate::{
    children::reaper,
    error::Result,
    helper::program::Program,
    helper::step_error,
    helper::vfork::{self, Process},
};

/// The data for the child, prepared before it is created.
struct Orders {
    program: *mut *const u8,
    environment: *const *const u8,
    /// Set by the child if it fails.
    failed: Option<Failure>,
}

/// Runs a program of [`Program::of_child`], which ends in an exec, with this environment.
pub fn run(program: &Program<'_>, environment: &[CString]) -> Result<Process> {
    // Every child needs the reaper, which waits for it.
    reaper::start()?;
    let mut words = vector(program.words());
    let environment = vector(environment);
    let mut orders = Orders { program: words.as_mut_ptr(), environment: environment.as_ptr(), failed: None };
    // SAFETY: `child` takes `Orders`, and what they point to lives in this frame and in the caller's.
    let process = unsafe { vfork::start(child, ptr::from_mut(&mut orders).cast()) };
    let process = process.map_err(step_error::from_launch)?;
    let Some(Failure { step, errno }) = orders.failed else { return Ok(process) };
    reaper::reap(process.pidfd);
    Err(step_error::from_step(program.label(step), Errno::from_raw(errno), About::Target))
}

fn vector(strings: &[CString]) -> Vec<*const u8> {
    strings.iter().map(|string| string.as_ptr().cast()).chain([ptr::null()]).collect()
}

/// The child, until it executes the program.
extern "C" fn child(orders: *mut c_void) -> c_int {
    // SAFETY: `run` passes its `Orders`, and sleeps until we are done with them.
    let orders = unsafe { &mut *orders.cast::<Orders>() };
    // SAFETY: both vectors end with NULL and live in `run`, and the first is ours to write to. `vfork` blocks
    // all signals, and without flags to share them, clone(2) copies descriptors, the working directory and signal
    // dispositions.
    orders.failed = Some(unsafe { entering_child::run(orders.program, orders.environment) });
    // Not the function of the C library, which may try for ever where a filter refuses the call.
    syscall::exit(127)
}
