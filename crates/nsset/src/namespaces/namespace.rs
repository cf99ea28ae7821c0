//! One namespace, held open.

use std::{
    any::Any,
    fmt,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::OnceLock,
};

use nix::{errno::Errno, sys::stat::fstat};

use crate::{
    error::{Error, Result, SystemError},
    kind::Kind,
    namespaces::ioctl,
};

/// The identity of a namespace: namespaces(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NamespaceId {
    pub dev: u64,
    pub ino: u64,
}

/// One namespace, and the descriptor that keeps it alive. Sets share it, and the last one closes the descriptor.
#[derive(Debug)]
pub struct Namespace {
    kind: Kind,
    id: NamespaceId,
    fd: OwnedFd,
    owner_id: OnceLock<Option<NamespaceId>>,
    companion: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Namespace {
    /// Takes a descriptor that is known to be that of a namespace of this kind.
    pub(crate) fn new(kind: Kind, fd: OwnedFd) -> Result<Self> {
        let stat = fstat(&fd).map_err(|errno| SystemError::new(errno, "fstat").kind(kind))?;
        let id = NamespaceId { dev: stat.st_dev, ino: stat.st_ino };
        Ok(Self { kind, id, fd, owner_id: OnceLock::new(), companion: OnceLock::new() })
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn id(&self) -> NamespaceId {
        self.id
    }

    /// The number that no other namespace has or will have; `None` before Linux 6.18.
    pub fn unique_id(&self) -> Option<u64> {
        ioctl::unique_id(self.as_fd()).ok()
    }

    /// The user namespace that owns this one (`NS_GET_USERNS`).
    pub fn owner(&self) -> Result<Self> {
        let fd = ioctl::owner(self.as_fd()).map_err(|errno| self.explain_relative(errno, "ioctl(NS_GET_USERNS)"))?;
        Self::new(Kind::User, fd)
    }

    /// The namespace above this one (`NS_GET_PARENT`); only `user` and `pid` have one.
    pub fn parent(&self) -> Result<Self> {
        let fd = ioctl::parent(self.as_fd()).map_err(|errno| self.explain_relative(errno, "ioctl(NS_GET_PARENT)"))?;
        Self::new(self.kind, fd)
    }

    /// The identity of the owner, which decides whether the namespace has to be joined before or after a user
    /// namespace.
    pub(crate) fn owner_id(&self) -> Option<NamespaceId> {
        self.visible_owner_id().ok().flatten()
    }

    /// The identity of the owner; `None` if the kernel hides it. The result is cached, but not a failure for lack of
    /// descriptors.
    pub(crate) fn visible_owner_id(&self) -> Result<Option<NamespaceId>> {
        if let Some(known) = self.owner_id.get() {
            return Ok(*known);
        }
        let id = match self.owner() {
            Ok(owner) => Some(owner.id),
            Err(Error::System(error)) if !is_shortage(error.errno) => None,
            Err(error) => return Err(error),
        };
        Ok(*self.owner_id.get_or_init(|| id))
    }

    /// A value that lives as long as this does, and is created on first use. There is one for each namespace.
    pub(crate) fn companion<T: Any + Send + Sync + Default>(&self) -> Option<&T> {
        self.companion.get_or_init(|| Box::<T>::default()).downcast_ref()
    }

    fn explain_relative(&self, errno: Errno, syscall: &'static str) -> Box<SystemError> {
        let error = SystemError::new(errno, syscall).kind(self.kind);
        match errno {
            Errno::EPERM => {
                error.hint("it is outside of the caller's own user or pid namespace, so the kernel hides it")
            }
            _ => error,
        }
    }
}

const fn is_shortage(errno: Errno) -> bool {
    matches!(errno, Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM)
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:[{}]", self.kind, self.id.ino)
    }
}
