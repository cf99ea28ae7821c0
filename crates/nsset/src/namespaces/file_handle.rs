//! Namespaces by number: open_by_handle_at(2) below the root of nsfs.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use crate::kind::Kind;

/// Stands for the root of nsfs (`FD_NSFS_ROOT`), which is mounted nowhere.
const ROOT: RawFd = -10003;

/// `FILEID_NSFS`.
const TYPE: libc::c_int = 0xf1;

/// `struct nsfs_file_handle`.
#[repr(C)]
struct Content {
    id: u64,
    kind: u32,
    inode: u32,
}

/// `struct file_handle` with a namespace.
#[repr(C)]
struct Handle {
    length: libc::c_uint,
    of_type: libc::c_int,
    content: Content,
}

/// Opens the namespace with a unique id. Linux 6.18 needs its kind and inode number as well. `ESTALE` if there is no
/// such namespace, or if the caller may not open it; `EBADF` before Linux 6.18.
pub fn open(id: u64, known: Option<(Kind, u64)>) -> Result<OwnedFd, Errno> {
    let (kind, inode) = known.map_or((0, 0), |(kind, inode)| (kind.flag(), inode as u32));
    let content = Content { id, kind, inode };
    let handle = Handle { length: size_of::<Content>() as libc::c_uint, of_type: TYPE, content };
    let flags = libc::O_RDONLY | libc::O_CLOEXEC;
    // SAFETY: the structure begins with the length of its content, and outlives the call.
    let opened = unsafe { libc::syscall(libc::SYS_open_by_handle_at, ROOT, &raw const handle, flags) };
    let opened = Errno::result(opened)? as RawFd;
    // SAFETY: the kernel made it for us, close-on-exec.
    Ok(unsafe { OwnedFd::from_raw_fd(opened) })
}
