//! Netlink sockets: their options, and system calls on them.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd},
    sync::Arc,
};

use nix::{
    errno::Errno,
    sys::{
        socket::{setsockopt, sockopt},
        stat::fstat,
    },
};
use rtnetlink::sys::{Socket, SocketAddr};
use tokio::io::{Interest, unix::AsyncFd};

use crate::error::NetlinkError;

/// `SIOCGSKNS` of linux/sockios.h.
const SIOCGSKNS: libc::Ioctl = 0x894C;

/// Converts a descriptor to a socket, which then owns it.
pub(crate) fn own(socket: OwnedFd) -> Socket {
    // SAFETY: the descriptor is open, and from here on only the socket owns it.
    unsafe { Socket::from_raw_fd(socket.into_raw_fd()) }
}

/// Makes the kernel add a message to its errors, leave the request out of them, and apply filters of dumps strictly (netlink(7)).
/// Kernels before 4.20 do not support the last, and send more than was requested.
pub(crate) fn prepare(socket: &Socket) -> io::Result<()> {
    socket.set_ext_ack(true)?;
    socket.set_cap_ack(true)?;
    match socket.set_netlink_get_strict_chk(true) {
        Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT) => {}
        outcome => outcome?,
    }
    socket.set_non_blocking(true)?;
    // From here on only the kernel can send to the socket. Otherwise a process with CAP_NET_ADMIN in the namespace could send
    // forged answers: netlink_getsockbyportid() of net/netlink/af_netlink.c.
    loop {
        match socket.connect(&SocketAddr::new(0, 0)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// The length of the datagram, which is truncated if it is longer than the buffer.
    pub length: usize,
    /// Whether the kernel sent it. Notifications can also come from processes that may change the network.
    pub is_kernels: bool,
    /// Whether it was sent to the members of a group.
    pub is_for_group: bool,
}

/// Receives a datagram.
pub(crate) fn receive(socket: &Socket, mut buffer: &mut [u8]) -> Result<Received, Errno> {
    let (length, sender) = socket.recv_from(&mut buffer, libc::MSG_TRUNC).map_err(|error| errno_of(&error))?;
    Ok(Received { length, is_kernels: sender.port_number() == 0, is_for_group: sender.multicast_groups() != 0 })
}

/// Sends a request, completely or not at all.
pub(crate) fn send(socket: &Socket, bytes: &[u8]) -> Result<(), Errno> {
    socket.send(bytes, 0).map(drop).map_err(|error| errno_of(&error))
}

/// The numbers of groups of nfnetlink begin after this one here. Those of rtnetlink are smaller.
const NFNETLINK: u32 = 1000;

/// A group of notifications: `RTNLGRP_*` of linux/rtnetlink.h, or `NFNLGRP_*` of linux/netfilter/nfnetlink.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Group {
    Link = 1,
    Neigh = 3,
    Tc = 4,
    Ipv4Address = 5,
    Ipv4Route = 7,
    Ipv4Rule = 8,
    Ipv6Address = 9,
    Ipv6Route = 11,
    Ipv6Rule = 19,
    NextHop = 32,
    BridgeVlan = 33,
    ConntrackNew = NFNETLINK + 1,
    ConntrackUpdate = NFNETLINK + 2,
    ConntrackDestroy = NFNETLINK + 3,
    Nftables = NFNETLINK + 7,
}

impl Group {
    /// Returns the kernel's number.
    pub const fn number(self) -> u32 {
        self as u32 % NFNETLINK
    }
}

/// Makes the socket receive the notifications of groups until this is dropped.
#[derive(Debug)]
pub(crate) struct Membership<'a> {
    socket: &'a Socket,
    groups: &'a [Group],
}

impl<'a> Membership<'a> {
    pub fn join(socket: &'a Socket, groups: &'a [Group]) -> io::Result<Self> {
        let membership = Self { socket, groups };
        for group in groups {
            socket.add_membership(group.number())?;
        }
        Ok(membership)
    }
}

impl Drop for Membership<'_> {
    fn drop(&mut self) {
        for group in self.groups {
            // Leaving a group that was not joined is not an error.
            let _ = self.socket.drop_membership(group.number());
        }
    }
}

/// Registers the socket with the tokio runtime until the result is dropped.
pub(crate) fn watch(socket: &Socket, interest: Interest) -> io::Result<AsyncFd<BorrowedFd<'_>>> {
    // SAFETY: the borrow keeps the descriptor open, and always returns the same one.
    unsafe { AsyncFd::register_with_interest(socket.as_fd(), interest) }.map_err(|error| error.into_parts().1)
}

/// Registers a socket with the tokio runtime that others use too.
pub(crate) fn watch_shared(socket: Arc<Socket>) -> io::Result<AsyncFd<Arc<Socket>>> {
    // SAFETY: the socket owns the descriptor, which stays open as long as this reference, and always returns the same one.
    unsafe { AsyncFd::register(socket) }.map_err(|error| error.into_parts().1)
}

/// The size of the receive buffer for notifications, for some ten thousand of them.
const NOTIFICATIONS: usize = 8 * 1024 * 1024;

/// Makes the receive buffer larger. A caller without CAP_NET_ADMIN in the first user namespace gets as much as
/// `net.core.rmem_max` allows (socket(7)).
pub(crate) fn enlarge_buffer(socket: &Socket) {
    if setsockopt(socket, sockopt::RcvBufForce, &NOTIFICATIONS).is_err() {
        // The default size works too: notifications are lost earlier, which is reported.
        let _ = setsockopt(socket, sockopt::RcvBuf, &NOTIFICATIONS);
    }
}

/// Returns the network namespace of the socket.
pub(crate) fn namespace(socket: &Socket) -> Result<OwnedFd, Errno> {
    // SAFETY: this ioctl takes no argument.
    let fd = Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGSKNS) })?;
    // SAFETY: the kernel has just returned the descriptor, and nothing else owns it. It is close-on-exec.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Returns the index of the link with this name, or with this alternative name, in the network namespace of the socket. `None` if
/// there is none, and for alternative names that names cannot be: longer ones, and those with a colon, which the kernel ignores from
/// there on. This takes a tenth of the time of a request (netdevice(7), `SIOCGIFINDEX`).
pub(crate) fn link_index(socket: &Socket, name: &str) -> Option<u32> {
    // SAFETY: the struct is plain data, for which zeros are valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if name.len() >= request.ifr_name.len() || name.bytes().any(|byte| matches!(byte, 0 | b':')) {
        return None;
    }
    for (to, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = byte as libc::c_char;
    }
    // SAFETY: the kernel reads the name, which ends with a zero, and writes within the struct.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFINDEX as libc::Ioctl, &raw mut request) })
        .ok()?;
    // SAFETY: the kernel has written this field of the union.
    u32::try_from(unsafe { request.ifr_ifru.ifru_ifindex }).ok()
}

/// Returns whether both descriptors refer to the same file.
pub(crate) fn is_same(one: &OwnedFd, other: &OwnedFd) -> bool {
    let identity = |fd: &OwnedFd| fstat(fd.as_fd()).ok().map(|file| (file.st_dev, file.st_ino));
    identity(one).is_some_and(|one| Some(one) == identity(other))
}

/// Returns the error number of a failed system call.
fn errno_of(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}

impl From<io::Error> for NetlinkError {
    fn from(error: io::Error) -> Self {
        errno_of(&error).into()
    }
}
