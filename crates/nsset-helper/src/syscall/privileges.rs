//! User and group ids, and capabilities(7).

use super::{
    errno::Errno,
    number,
    trap::{call, checked, trap},
};

/// Keeps the capabilities over the change from uid 0 to another, until the next exec.
pub fn keep_capabilities() -> Result<usize, Errno> {
    const PR_SET_KEEPCAPS: usize = 8;
    call!(number::PRCTL, PR_SET_KEEPCAPS, 1, 0, 0, 0)
}

/// Keeps the capability over an exec by an ordinary user; it has to be inheritable.
pub fn raise_ambient(capability: usize) -> Result<usize, Errno> {
    const PR_CAP_AMBIENT: usize = 47;
    const PR_CAP_AMBIENT_RAISE: usize = 2;
    call!(number::PRCTL, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)
}

pub fn clear_ambient() -> Result<usize, Errno> {
    const PR_CAP_AMBIENT: usize = 47;
    const PR_CAP_AMBIENT_CLEAR_ALL: usize = 4;
    call!(number::PRCTL, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
}

pub fn drop_from_bounding_set(capability: usize) -> Result<usize, Errno> {
    const PR_CAPBSET_DROP: usize = 24;
    call!(number::PRCTL, PR_CAPBSET_DROP, capability, 0, 0, 0)
}

/// Sets these secure bits beside those that are set (capabilities(7)).
pub fn add_securebits(bits: usize) -> Result<usize, Errno> {
    const PR_GET_SECUREBITS: usize = 27;
    const PR_SET_SECUREBITS: usize = 28;
    let now = call!(number::PRCTL, PR_GET_SECUREBITS, 0, 0, 0, 0)?;
    call!(number::PRCTL, PR_SET_SECUREBITS, now | bits, 0, 0, 0)
}

/// Makes every later exec ignore set-user-ID bits and file capabilities.
pub fn set_no_new_privileges() -> Result<usize, Errno> {
    const PR_SET_NO_NEW_PRIVS: usize = 38;
    call!(number::PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}

/// The three sets of capabilities, in two words each (capget(2), version 3).
#[derive(Default)]
#[repr(C)]
pub struct Capabilities {
    pub effective: u32,
    pub permitted: u32,
    pub inheritable: u32,
}

/// `_LINUX_CAPABILITY_VERSION_3`, and the calling process.
const CAPABILITY_HEADER: [u32; 2] = [0x2008_0522, 0];

pub fn capabilities() -> Result<[Capabilities; 2], Errno> {
    let mut header = CAPABILITY_HEADER;
    let mut words = <[Capabilities; 2]>::default();
    call!(number::CAPGET, header.as_mut_ptr(), words.as_mut_ptr())?;
    Ok(words)
}

pub fn set_capabilities(words: &[Capabilities; 2]) -> Result<usize, Errno> {
    let mut header = CAPABILITY_HEADER;
    call!(number::CAPSET, header.as_mut_ptr(), words.as_ptr())
}

pub fn getuid() -> usize {
    call!(number::GETUID).unwrap_or(0)
}

pub fn getgid() -> usize {
    call!(number::GETGID).unwrap_or(0)
}

pub fn setuid(id: usize) -> Result<usize, Errno> {
    call!(number::SETRESUID, id, id, id)
}

pub fn setgid(id: usize) -> Result<usize, Errno> {
    call!(number::SETRESGID, id, id, id)
}

pub fn setgroups(groups: &[u32]) -> Result<usize, Errno> {
    call!(number::SETGROUPS, groups.len(), groups.as_ptr())
}
