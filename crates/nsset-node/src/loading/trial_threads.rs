//! Starts threads that end at once, to find out whether the limits allow that many.
//!
//! This uses pthread_create(3) and not the standard library, whose threads allocate memory. The first allocation of a thread
//! creates an arena of malloc(3), which takes longer than all other steps here.

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

/// Locked until all threads have been started.
static GATE: Mutex<()> = Mutex::new(());

/// Starts `count` threads with stacks of `stack` bytes, which all exist at the same time, and ends them.
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
    // pthread_join(3) returns before the kernel has subtracted the thread from the counts that limits apply to.
    nsset::await_end(&ended);
    outcome
}

/// The attributes of a thread: pthread_attr_init(3).
struct Attributes(libc::pthread_attr_t);

impl Attributes {
    fn with_stack(size: usize) -> Result<Self, Errno> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: pthread_attr_init(3) initializes the attributes.
        let attributes = unsafe {
            result(libc::pthread_attr_init(attributes.as_mut_ptr()))?;
            attributes.assume_init()
        };
        let mut attributes = Self(attributes);
        // SAFETY: the attributes were just initialized.
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
        // SAFETY: the attributes are initialized, and are not used after this.
        unsafe { libc::pthread_attr_destroy(&raw mut self.0) };
    }
}

/// The function of such a thread. It returns the thread's number.
extern "C" fn wait_at_gate(_: *mut c_void) -> *mut c_void {
    drop(GATE.lock());
    ptr::without_provenance_mut(gettid().as_raw() as usize)
}

fn join(thread: libc::pthread_t) -> Pid {
    let mut number = ptr::null_mut();
    // SAFETY: pthread_create(3) started the thread, and only this line joins it.
    unsafe { libc::pthread_join(thread, &raw mut number) };
    Pid::from_raw(number.addr() as libc::pid_t)
}

fn result(number: libc::c_int) -> Result<(), Errno> {
    if number == 0 { Ok(()) } else { Err(Errno::from_raw(number)) }
}
