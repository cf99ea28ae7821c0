//! The namespaces of a process by its descriptor (`PIDFD_GET_*_NAMESPACE`, since Linux 6.11), in half the time that its
//! directory in `/proc` takes, and without that.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

use crate::{
    children::pidfd,
    kind::{Kind, Kinds},
    namespaces::{namespace::Namespace, set::NamespaceSet},
};

const PIDFS: u8 = 0xff;

/// The number of the request (`PIDFD_GET_CGROUP_NAMESPACE` and so on, pidfd.h).
const fn number(kind: Kind) -> u8 {
    match kind {
        Kind::Cgroup => 1,
        Kind::Ipc => 2,
        Kind::Mnt => 3,
        Kind::Net => 4,
        Kind::Pid => 5,
        Kind::Time => 7,
        Kind::User => 9,
        Kind::Uts => 10,
    }
}

/// That of the namespace of the next children.
const fn number_for_children(kind: Kind) -> u8 {
    match kind {
        Kind::Pid => 6,
        Kind::Time => 8,
        other => number(other),
    }
}

/// The namespaces of these kinds. `ENOTTY` before Linux 6.11, `ESRCH` for a process that has ended, and `EACCES` where
/// ptrace(2) forbids it.
pub fn open(pid: i32, kinds: Kinds) -> Result<NamespaceSet, Errno> {
    let process = pidfd::open(pid)?;
    let mut set = NamespaceSet::default();
    for kind in kinds.iter() {
        let fd = get(process.as_fd(), kind)?;
        set.insert(Namespace::new(kind, fd).map_err(|_| Errno::EIO)?);
    }
    Ok(set)
}

/// One namespace of the process; `EOPNOTSUPP` if the kernel has no such kind.
pub(crate) fn get(process: BorrowedFd<'_>, kind: Kind) -> Result<OwnedFd, Errno> {
    request(process, number(kind))
}

/// The namespace in which the next children of the process will be: it differs for `pid` and `time` after unshare(2).
pub(crate) fn get_for_children(process: BorrowedFd<'_>, kind: Kind) -> Result<OwnedFd, Errno> {
    request(process, number_for_children(kind))
}

fn request(process: BorrowedFd<'_>, number: u8) -> Result<OwnedFd, Errno> {
    let request = nix::request_code_none!(PIDFS, number);
    // SAFETY: the request takes no argument and answers with a new descriptor, close-on-exec, ours alone.
    let fd = Errno::result(unsafe { libc::ioctl(process.as_raw_fd(), request, 0) })?;
    // SAFETY: the kernel made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::namespaces::source;

    #[test]
    fn the_namespaces_are_those_of_the_directory_in_proc() {
        let pid = std::process::id() as i32;
        let by_proc = source::from_directory_of(pid, None).unwrap();
        match open(pid, by_proc.kinds()) {
            Ok(by_descriptor) => {
                let ids = |set: &NamespaceSet| set.iter().map(|each| (each.kind(), each.id())).collect::<Vec<_>>();
                assert_eq!(ids(&by_descriptor), ids(&by_proc));
            }
            Err(errno) => assert_eq!(errno, Errno::ENOTTY),
        }
    }

    #[test]
    fn a_process_that_has_ended_is_not_found() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id() as i32;
        child.wait().unwrap();
        assert_eq!(open(pid, Kinds::NONE.with(Kind::Net)).unwrap_err(), Errno::ESRCH);
    }
}
