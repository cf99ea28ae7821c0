//! The capabilities of the program: exactly those that are named, in each of its sets (capabilities(7)).
//!
//! No step here adds a permitted capability, so the memory of the process stays as dumpable as it was (prctl(2)).

use crate::{
    arguments::Arguments,
    syscall::{self, Capabilities, EINVAL, EPERM, Errno},
};

/// More than the kernel has.
const MOST_CAPABILITIES: usize = 64;

/// An exec by user 0 gives it no capability, and that cannot be undone.
const SECBIT_NOROOT: usize = 1;
const SECBIT_NOROOT_LOCKED: usize = 2;

/// Makes these capabilities the permitted, effective, inheritable and ambient ones, and removes all others from the
/// bounding set. The last part needs `CAP_SETPCAP`. If it is not required, a process without that keeps its bounding
/// set: then a later step makes sure that no exec adds a capability from it (`PR_SET_NO_NEW_PRIVS`).
pub fn take_exactly(arguments: &mut Arguments) -> Result<(), Errno> {
    let wanted = arguments.number()?;
    let is_bounding_required = arguments.number()? != 0;
    make_permitted_effective()?;
    match bound(wanted) {
        Err(EPERM) if !is_bounding_required => {}
        outcome => outcome?,
    }
    syscall::set_capabilities(&[everywhere(wanted as u32), everywhere((wanted >> 32) as u32)])?;
    syscall::clear_ambient()?;
    for capability in members(wanted) {
        syscall::raise_ambient(capability)?;
    }
    Ok(())
}

/// A change of the user leaves permitted capabilities that are not effective, and `CAP_SETPCAP` has to be.
fn make_permitted_effective() -> Result<(), Errno> {
    let mut words = syscall::capabilities()?;
    for word in &mut words {
        word.effective = word.permitted;
    }
    syscall::set_capabilities(&words).map(drop)
}

/// Removes all other capabilities from the bounding set, so that no exec gives them to the program.
fn bound(wanted: usize) -> Result<(), Errno> {
    for capability in members(!wanted) {
        match syscall::drop_from_bounding_set(capability) {
            // The kernel has no capability with this number, and none with a higher one.
            Err(EINVAL) => break,
            outcome => outcome?,
        };
    }
    syscall::add_securebits(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED).map(drop)
}

fn members(set: usize) -> impl Iterator<Item = usize> {
    (0..MOST_CAPABILITIES).filter(move |capability| set >> capability & 1 != 0)
}

fn everywhere(word: u32) -> Capabilities {
    Capabilities { effective: word, permitted: word, inheritable: word }
}
