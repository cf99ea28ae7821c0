//! Creates namespaces and opens descriptors of them. The calling thread is outside afterwards.

use std::{
    fs::{self, File},
    io::{PipeReader, Write, pipe},
    os::{
        fd::AsRawFd,
        raw::{c_int, c_void},
    },
    ptr, thread,
};

use napi::{Error, Result};
use napi_derive::napi;
use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, setns, unshare},
    sys::wait::waitpid,
    unistd::{Pid, getgid, getuid},
};

use super::napi_error;

const KINDS: [(CloneFlags, &str); 5] = [
    (CloneFlags::CLONE_NEWUSER, "user"),
    (CloneFlags::CLONE_NEWNS, "mnt"),
    (CloneFlags::CLONE_NEWUTS, "uts"),
    (CloneFlags::CLONE_NEWNET, "net"),
    (CloneFlags::CLONE_NEWPID, "pid"),
];

/// Unshares the kinds, opens the new namespaces, and returns to the previous ones.
#[napi(catch_unwind)]
pub fn bare_unshare_and_back(flags: u32) -> Result<()> {
    let flags = CloneFlags::from_bits_retain(flags as i32);
    let home = open_namespaces("thread-self", flags)?;
    unshare(flags).map_err(napi_error)?;
    let made = open_namespaces("thread-self", flags);
    for namespace in home {
        setns(namespace, CloneFlags::empty()).map_err(napi_error)?;
    }
    made.map(drop)
}

/// Creates the namespaces with a child that shares the memory of this process, which is the cheapest way to start one. Maps the
/// caller to root.
#[napi(catch_unwind)]
pub fn bare_unshare_by_child(flags: u32) -> Result<()> {
    let flags = CloneFlags::from_bits_retain(flags as i32);
    let (end, mut word) = pipe()?;
    let mut stack = vec![0; 64 * 1024];
    let child = start(&end, &mut stack, flags)?;
    let made = map_to_root(child).and_then(|()| open_namespaces(&child.to_string(), flags));
    word.write_all(&[0])?;
    waitpid(child, None).map_err(napi_error)?;
    made.map(drop)
}

/// Starts the child, which waits for a byte and ends.
fn start(end: &PipeReader, stack: &mut [u8], flags: CloneFlags) -> Result<Pid> {
    let flags = flags.bits() | libc::CLONE_VM | libc::SIGCHLD;
    let end = ptr::without_provenance_mut(end.as_raw_fd() as usize);
    // SAFETY: the child only reads, on its own stack. The caller waits for the child before it frees the stack. The ABI requires
    // an aligned top.
    let child = unsafe {
        let top = stack.as_mut_ptr_range().end;
        libc::clone(wait_for_word, top.sub(top.addr() % 16).cast(), flags, end)
    };
    Errno::result(child).map(Pid::from_raw).map_err(napi_error)
}

extern "C" fn wait_for_word(end: *mut c_void) -> c_int {
    let mut word = 0_u8;
    // SAFETY: read(2) writes one byte to a local variable.
    unsafe { libc::read(end.addr() as c_int, (&raw mut word).cast(), 1) };
    0
}

fn map_to_root(child: Pid) -> Result<()> {
    fs::write(format!("/proc/{child}/uid_map"), format!("0 {} 1", getuid()))?;
    fs::write(format!("/proc/{child}/setgroups"), "deny")?;
    fs::write(format!("/proc/{child}/gid_map"), format!("0 {} 1", getgid()))?;
    Ok(())
}

fn open_namespaces(process: &str, flags: CloneFlags) -> Result<Vec<File>> {
    let wanted = KINDS.iter().filter(|(flag, _)| flags.contains(*flag));
    wanted.map(|(_, name)| Ok(File::open(format!("/proc/{process}/ns/{name}"))?)).collect()
}

/// Creates a network with a name: creates a file, and mounts the namespace on it.
#[napi(catch_unwind)]
pub fn bare_name_network(path: String) -> Result<()> {
    let named = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).map_err(napi_error)?;
        File::create_new(&path)?;
        mount(Some("/proc/thread-self/ns/net"), path.as_str(), None::<&str>, MsFlags::MS_BIND, None::<&str>)
            .map_err(napi_error)
    });
    named.join().map_err(|_| Error::from_reason("the thread panicked"))?
}

/// Removes the name.
#[napi(catch_unwind)]
pub fn bare_unname_network(path: String) -> Result<()> {
    umount2(path.as_str(), MntFlags::MNT_DETACH).map_err(napi_error)?;
    Ok(fs::remove_file(path)?)
}
