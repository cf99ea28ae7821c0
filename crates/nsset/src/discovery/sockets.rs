//! The networks of sockets.

use std::{
    collections::{HashMap, HashSet},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, SockFlag, SockType, socket},
};

use crate::{
    children::pidfd,
    discovery::{
        census::{Census, Holder},
        incomplete::What,
        socket_ioctl,
    },
    error::{Result, SystemError},
    kind::{Kind, Kinds},
    namespaces::{namespace::Namespace, set::NamespaceSet},
    threads::thread,
};

/// The networks of the sockets so far.
#[derive(Default)]
pub(super) struct Networks {
    /// By cookie: the index of the network. A network that is not known is asked for only once.
    by_cookie: HashMap<u64, std::result::Result<(usize, u64), Errno>>,
    /// Sockets that several processes share are looked at once for each network of such a process.
    seen: HashSet<(Option<u64>, Vec<u8>)>,
    refused: HashMap<u64, Errno>,
}

/// A process, and its descriptor.
pub(super) struct Owner {
    pub pid: i32,
    /// The inode number of its network.
    network: Option<u64>,
    pidfd: std::result::Result<OwnedFd, Errno>,
}

impl Owner {
    pub fn new(pid: i32, network: Option<u64>, pidfd: std::result::Result<OwnedFd, Errno>) -> Self {
        Self { pid, network, pidfd }
    }

    fn copy(&self, fd: i32) -> std::result::Result<OwnedFd, Errno> {
        pidfd::get_fd(self.pidfd.as_ref().map_err(|errno| *errno)?.as_fd(), fd)
    }
}

impl Networks {
    /// Adds the socket as a holder if its network is not that of its process.
    pub fn look(&mut self, census: &Census, owner: &Owner, fd: i32, link: &[u8]) {
        if !self.seen.insert((owner.network, link.to_vec())) {
            return;
        }
        let socket = match owner.copy(fd) {
            Ok(socket) => socket,
            // It is closed, or the process has ended.
            Err(Errno::EBADF | Errno::ESRCH) => return,
            Err(errno) => return census.count(What::Sockets, errno),
        };
        let Ok(cookie) = socket_ioctl::cookie(socket.as_fd()) else { return };
        let network = self.by_cookie.entry(cookie).or_insert_with(|| ask(census, socket.as_fd(), cookie));
        match network {
            Ok((_, inode)) if owner.network == Some(*inode) => {}
            Ok((index, _)) => census.hold(*index, Holder::Socket { pid: owner.pid, fd }),
            Err(errno) => {
                self.refused.insert(cookie, *errno);
            }
        }
    }

    /// Notes the networks that could not be asked for, unless they are known by their unique id.
    pub fn note(&self, census: &Census) {
        for (cookie, errno) in &self.refused {
            if census.network(*cookie).is_none() {
                census.count(What::Sockets, *errno);
            }
        }
    }
}

/// The index and the inode number of the network of a socket. Since Linux 6.18 the cookie is the unique id, so that a known
/// network need not be asked for, which needs privilege.
fn ask(census: &Census, socket: BorrowedFd<'_>, cookie: u64) -> std::result::Result<(usize, u64), Errno> {
    if let Some(known) = census.network(cookie) {
        return Ok(known);
    }
    let namespace = open(socket)?;
    Ok((census.add(&namespace), namespace.id().ino))
}

fn open(socket: BorrowedFd<'_>) -> std::result::Result<Namespace, Errno> {
    let fd = socket_ioctl::network(socket)?;
    Namespace::new(Kind::Net, fd).map_err(|_| Errno::EIO)
}

/// Opens the network of a socket of another process.
pub(super) fn open_of(pid: i32, fd: i32) -> std::result::Result<Namespace, Errno> {
    open(pidfd::get_fd(pidfd::open(pid)?.as_fd(), fd)?.as_fd())
}

/// Opens the network of a socket. An ordinary user may open that of the calling thread.
///
/// # Errors
/// [`Error::System`](crate::Error::System) with `EBADF`, `ENOTSOCK`, or `EPERM` if the network is another one and the
/// caller has no CAP_NET_ADMIN in its owner.
pub fn from_socket(fd: i32) -> Result<NamespaceSet> {
    let failed = |errno| SystemError::new(errno, "ioctl(SIOCGSKNS)").kind(Kind::Net);
    // The number is JavaScript's, which may close it at any time: a copy stays.
    let copy = socket_ioctl::copy(fd).map_err(failed)?;
    let fd = copy.as_fd();
    match socket_ioctl::network(fd) {
        Ok(network) => Namespace::new(Kind::Net, network).map(NamespaceSet::of),
        Err(Errno::ENOTTY) => Err(failed(Errno::ENOTSOCK).hint("the descriptor is not a socket").into()),
        Err(Errno::EPERM) if is_in_own_network(fd) => thread::current(Some(Kinds::NONE.with(Kind::Net))),
        Err(Errno::EPERM) => {
            let hint = "the network belongs to another user namespace: CAP_NET_ADMIN in it is needed";
            Err(failed(Errno::EPERM).hint(hint).into())
        }
        Err(errno) => Err(failed(errno).into()),
    }
}

fn is_in_own_network(fd: BorrowedFd<'_>) -> bool {
    let here = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None);
    let here = here.and_then(|here| socket_ioctl::cookie(here.as_fd()));
    here.is_ok_and(|here| socket_ioctl::cookie(fd) == Ok(here))
}
