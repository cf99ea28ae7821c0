//! Namespaces by their unique ids.

use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;

use crate::{
    discovery::{census::Search, search::discover},
    error::{Error, Result, SystemError},
    kind::{Kind, Kinds},
    namespaces::{file_handle, ioctl, namespace::Namespace, set::NamespaceSet},
};

/// Opens the namespace with a unique id, which `NS_GET_ID` reports and the kernel never uses again. It has to be of this
/// kind.
///
/// # Errors
/// [`Error::System`](crate::Error::System) with `ENOENT` if there is none, or none that the caller may open;
/// `EOPNOTSUPP` before Linux 6.18, which introduced the ids.
pub fn from_id(id: u64, kind: Kind) -> Result<NamespaceSet> {
    let failed = |errno| SystemError::new(errno, "open_by_handle_at").kind(kind);
    match file_handle::open(id, None) {
        Ok(fd) => is_of_kind(fd, kind).map(NamespaceSet::of),
        // Linux 6.18 needs the inode number too, and later kernels hide namespaces of others from an ordinary user.
        Err(Errno::ESTALE) => search_for_id(id, kind),
        Err(Errno::EBADF) => {
            let hint = "this kernel cannot open a namespace by its unique id, which needs Linux 6.18";
            Err(failed(Errno::EOPNOTSUPP).hint(hint).into())
        }
        Err(errno) => Err(failed(errno).into()),
    }
}

fn is_of_kind(fd: OwnedFd, expected: Kind) -> Result<Namespace> {
    let flag = ioctl::flag(fd.as_fd()).map_err(|errno| SystemError::new(errno, "ioctl(NS_GET_NSTYPE)"))?;
    match Kind::from_flag(flag) {
        Some(kind) if kind == expected => Namespace::new(kind, fd),
        other => Err(wrong_kind(other, expected)),
    }
}

fn wrong_kind(kind: Option<Kind>, expected: Kind) -> Error {
    let kind = kind.map_or("other", Kind::name);
    let hint = format!("it is the id of a {kind} namespace, where a {expected} namespace was expected");
    SystemError::new(Errno::EINVAL, "open_by_handle_at").kind(expected).hint(hint).into()
}

fn search_for_id(id: u64, kind: Kind) -> Result<NamespaceSet> {
    let discovery = discover(Search { kinds: Kinds::ALL, holders: true })?;
    let known = discovery.namespaces.iter().enumerate().find(|(_, each)| each.unique_id == Some(id));
    match known {
        Some((index, found)) if found.kind == kind => discovery.open(index),
        Some((_, found)) => Err(wrong_kind(Some(found.kind), kind)),
        None => {
            let hint = "no namespace that the caller can find has this id: it is gone, or belongs to another user";
            Err(SystemError::new(Errno::ENOENT, "open_by_handle_at").kind(kind).hint(hint).into())
        }
    }
}
