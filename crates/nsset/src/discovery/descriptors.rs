//! The descriptors of a process: namespaces, and sockets in other networks than its own.

use std::{
    ffi::CStr,
    os::fd::{AsFd, BorrowedFd},
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, openat, readlinkat},
    sys::stat::Mode,
};

use crate::{
    discovery::{
        census::{Census, Holder},
        entries::{decimal, list},
        sockets::{Networks, Owner},
    },
    kind::Kind,
    namespaces::{namespace::Namespace, ns_link, source::reopen_namespace},
    retry::uninterrupted,
};

pub(super) fn look(
    census: &Census,
    process: BorrowedFd<'_>,
    owner: Owner,
    networks: &Mutex<Networks>,
) -> Result<(), Errno> {
    let (links, fds) = list(process, c"fd")?;
    for fd in fds {
        let name = decimal(fd);
        let Ok(link) = readlinkat(links.as_fd(), name.as_c_str()) else { continue };
        let link = link.as_encoded_bytes();
        if link.starts_with(b"socket:[") {
            if census.search.kinds.contains(Kind::Net) {
                networks.lock().unwrap_or_else(PoisonError::into_inner).look(census, &owner, fd, link);
            }
            continue;
        }
        let Some((kind, inode)) = ns_link::parse(link).filter(|(kind, _)| census.looks_at(*kind)) else { continue };
        if let Some(index) = census.meet(kind, inode, || open(links.as_fd(), &name, kind, owner.pid, fd)) {
            census.hold(index, Holder::Descriptor { pid: owner.pid, fd });
        }
    }
    Ok(())
}

/// Another file may have taken the number: a FIFO must not be opened.
fn open(links: BorrowedFd<'_>, name: &CStr, kind: Kind, pid: i32, fd: i32) -> Option<Namespace> {
    let held = uninterrupted(|| openat(links, name, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())).ok()?;
    reopen_namespace(held.as_fd(), &PathBuf::from(format!("/proc/{pid}/fd/{fd}")), Some(kind)).ok()
}
