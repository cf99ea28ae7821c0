//! What a netlink socket is told and asked.

use std::{
    fmt,
    mem::{size_of, zeroed},
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use libc::c_int;
use nix::{
    errno::Errno,
    sys::socket::{NetlinkAddr, connect},
};
use tokio::io::unix::AsyncFd;

/// `SIOCGSKNS` of linux/sockios.h.
const SIOCGSKNS: libc::Ioctl = 0x894C;

/// A protocol over netlink(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Route = libc::NETLINK_ROUTE as isize,
    Generic = libc::NETLINK_GENERIC as isize,
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Route => "rtnetlink",
            Self::Generic => "generic netlink",
        })
    }
}

/// Whether the protocol is what the socket speaks.
pub(crate) fn speaks(socket: BorrowedFd<'_>, protocol: Protocol) -> bool {
    let is = |option, value| get(socket, option) == Ok(value);
    is(libc::SO_DOMAIN, libc::AF_NETLINK) && is(libc::SO_PROTOCOL, protocol as c_int)
}

/// Makes the kernel say why it refuses something, without sending the request back, and take filters of dumps at their
/// word (netlink(7)). Kernels before 4.20 do not know the last, and send more than was asked for.
pub(crate) fn prepare(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    set(socket, libc::NETLINK_EXT_ACK)?;
    set(socket, libc::NETLINK_CAP_ACK)?;
    match set(socket, libc::NETLINK_GET_STRICT_CHK) {
        Ok(()) | Err(Errno::ENOPROTOOPT) => {}
        Err(errno) => return Err(errno),
    }
    make_nonblocking(socket)?;
    // From then on the kernel alone can write to it; otherwise whoever has CAP_NET_ADMIN in the namespace could, and lie:
    // netlink_getsockbyportid() of net/netlink/af_netlink.c.
    loop {
        match connect(socket.as_raw_fd(), &NetlinkAddr::new(0, 0)) {
            Err(Errno::EINTR) => {}
            outcome => return outcome,
        }
    }
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// Its length. What is longer than the buffer was cut off.
    pub length: usize,
    /// Whether the kernel sent it. Notifications also come from others who may change the network.
    pub is_kernels: bool,
    /// Whether it went to the members of a group, too.
    pub is_for_group: bool,
}

/// Receives a datagram, and says how long it is.
pub(crate) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<Received, Errno> {
    // SAFETY: all zeros is a valid address.
    let mut sender: libc::sockaddr_nl = unsafe { zeroed() };
    let mut size = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
    // SAFETY: the buffer and the address are writable for as many bytes as are said.
    let length = unsafe {
        libc::recvfrom(
            socket.as_raw_fd(),
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            libc::MSG_TRUNC,
            (&raw mut sender).cast(),
            &raw mut size,
        )
    };
    let length = Errno::result(length)? as usize;
    Ok(Received { length, is_kernels: sender.nl_pid == 0, is_for_group: sender.nl_groups != 0 })
}

/// A group of notifications: `RTNLGRP_*` of linux/rtnetlink.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Link = 1,
    Tc = 4,
    Ipv6Route = 11,
}

/// Has the socket hear the notifications of groups, until it is dropped.
#[derive(Debug)]
pub(crate) struct Membership<'a> {
    socket: BorrowedFd<'a>,
    groups: &'a [Group],
}

impl<'a> Membership<'a> {
    pub fn join(socket: BorrowedFd<'a>, groups: &'a [Group]) -> Result<Self, Errno> {
        let membership = Self { socket, groups };
        for group in groups {
            set_to(socket, libc::NETLINK_ADD_MEMBERSHIP, *group as c_int)?;
        }
        Ok(membership)
    }
}

impl Drop for Membership<'_> {
    fn drop(&mut self) {
        for group in self.groups {
            // To leave a group that was never joined is no error.
            let _ = set_to(self.socket, libc::NETLINK_DROP_MEMBERSHIP, *group as c_int);
        }
    }
}

/// Has the runtime watch the socket.
pub(crate) fn watch(socket: OwnedFd) -> Result<AsyncFd<OwnedFd>, Errno> {
    // SAFETY: it owns the descriptor, and always answers with the same one.
    unsafe { AsyncFd::register(socket) }.map_err(|error| {
        let (_, error) = error.into_parts();
        Errno::from_raw(error.raw_os_error().unwrap_or(0))
    })
}

/// The network namespace that the socket belongs to.
pub(crate) fn namespace(socket: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    // SAFETY: it takes no argument.
    let fd = Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGSKNS) })?;
    // SAFETY: the kernel has just made it, close-on-exec.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Whether both are the same file.
pub(crate) fn is_same(one: &OwnedFd, other: &OwnedFd) -> bool {
    identity(one).is_some_and(|one| Some(one) == identity(other))
}

fn identity(fd: &OwnedFd) -> Option<(libc::dev_t, libc::ino_t)> {
    // SAFETY: all zeros is a valid description of a file.
    let mut file: libc::stat = unsafe { zeroed() };
    // SAFETY: it takes a pointer to one.
    Errno::result(unsafe { libc::fstat(fd.as_raw_fd(), &raw mut file) }).ok().map(|_| (file.st_dev, file.st_ino))
}

fn make_nonblocking(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut on: c_int = 1;
    // SAFETY: it takes a pointer to an int.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), libc::FIONBIO, &raw mut on) }).map(drop)
}

fn get(socket: BorrowedFd<'_>, option: c_int) -> Result<c_int, Errno> {
    let mut value: c_int = 0;
    let mut length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: an int, with its length.
    let result = unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, (&raw mut value).cast(), &raw mut length)
    };
    Errno::result(result).map(|_| value)
}

fn set(socket: BorrowedFd<'_>, option: c_int) -> Result<(), Errno> {
    set_to(socket, option, 1)
}

fn set_to(socket: BorrowedFd<'_>, option: c_int, value: c_int) -> Result<(), Errno> {
    // SAFETY: an int, with its length.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_NETLINK,
            option,
            (&raw const value).cast(),
            size_of::<c_int>() as libc::socklen_t,
        )
    };
    Errno::result(result).map(drop)
}
