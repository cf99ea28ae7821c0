//! Threads that show that threads can be started, and end at once.
//!
//! By pthread_create(3) and not by the standard library: what such a thread allocates costs it an arena of malloc(3), which
//! takes longer than all else here.

use std::{
    ffi::c_void,
    mem::MaybeUninit,
    ptr,
    sync::{Mutex, PoisonError},
};

use nix::{
    errno::Errno,
    unistd::{Pid, gettid},
};

/// Closed until all of them are there.
static GATE: Mutex<()> = Mutex::new(());

/// Starts so many threads with stacks of so many bytes, all of them at once, and lets them go.
pub fn start_and_end(count: usize, stack: usize) -> Result<(), Errno> {
    let attributes = Attributes::with_stack(stack)?;
    let closed = GATE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut threads = Vec::with_capacity(count);
    let mut outcome = Ok(());
    while threads.len() < count && outcome.is_ok() {
        outcome = attributes.start().map(|thread| threads.push(thread));
    }
    drop(closed);
    let ended: Vec<Pid> = threads.into_iter().map(join).collect();
    // A thread is joined before the kernel has counted it off.
    nsset::await_end(&ended);
    outcome
}

/// Of pthread_attr_init(3).
struct Attributes(libc::pthread_attr_t);

impl Attributes {
    fn with_stack(size: usize) -> Result<Self, Errno> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: pthread_attr_init(3) fills it in.
        let attributes = unsafe {
            result(libc::pthread_attr_init(attributes.as_mut_ptr()))?;
            attributes.assume_init()
        };
        let mut attributes = Self(attributes);
        // SAFETY: it was just initialized.
        result(unsafe { libc::pthread_attr_setstacksize(&raw mut attributes.0, size) })?;
        Ok(attributes)
    }

    fn start(&self) -> Result<libc::pthread_t, Errno> {
        let mut thread = 0;
        // SAFETY: the attributes are initialized, and `wait_at_gate` takes no argument.
        result(unsafe { libc::pthread_create(&raw mut thread, &raw const self.0, wait_at_gate, ptr::null_mut()) })?;
        Ok(thread)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: it was initialized, and is used no more.
        unsafe { libc::pthread_attr_destroy(&raw mut self.0) };
    }
}

/// All that such a thread does. Its number is what it returns.
extern "C" fn wait_at_gate(_: *mut c_void) -> *mut c_void {
    drop(GATE.lock());
    ptr::without_provenance_mut(gettid().as_raw() as usize)
}

fn join(thread: libc::pthread_t) -> Pid {
    let mut number = ptr::null_mut();
    // SAFETY: pthread_create(3) made it, and it is joined here only.
    unsafe { libc::pthread_join(thread, &raw mut number) };
    Pid::from_raw(number.addr() as libc::pid_t)
}

fn result(number: libc::c_int) -> Result<(), Errno> {
    if number == 0 { Ok(()) } else { Err(Errno::from_raw(number)) }
}
