//! What a netlink socket is told and asked.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd},
};

use nix::{errno::Errno, sys::stat::fstat};
use rtnetlink::sys::{Socket, SocketAddr};
use tokio::io::unix::AsyncFd;

use crate::error::Refusal;

/// `SIOCGSKNS` of linux/sockios.h.
const SIOCGSKNS: libc::Ioctl = 0x894C;

/// Takes a descriptor over.
pub(crate) fn own(socket: OwnedFd) -> Socket {
    // SAFETY: the descriptor is open, and nothing but the socket owns it from here on.
    unsafe { Socket::from_raw_fd(socket.into_raw_fd()) }
}

/// Makes the kernel say why it refuses something, without sending the request back, and take filters of dumps at their
/// word (netlink(7)). Kernels before 4.20 do not know the last, and send more than was asked for.
pub(crate) fn prepare(socket: &Socket) -> io::Result<()> {
    socket.set_ext_ack(true)?;
    socket.set_cap_ack(true)?;
    match socket.set_netlink_get_strict_chk(true) {
        Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT) => {}
        outcome => outcome?,
    }
    socket.set_non_blocking(true)?;
    // From then on the kernel alone can write to it; otherwise whoever has CAP_NET_ADMIN in the namespace could, and lie:
    // netlink_getsockbyportid() of net/netlink/af_netlink.c.
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
    /// Its length. What is longer than the buffer was cut off.
    pub length: usize,
    /// Whether the kernel sent it. Notifications also come from others who may change the network.
    pub is_kernels: bool,
    /// Whether it went to the members of a group, too.
    pub is_for_group: bool,
}

/// Receives a datagram, and says how long it is.
pub(crate) fn receive(socket: &Socket, mut buffer: &mut [u8]) -> Result<Received, Errno> {
    let (length, sender) = socket.recv_from(&mut buffer, libc::MSG_TRUNC).map_err(|error| errno_of(&error))?;
    Ok(Received { length, is_kernels: sender.port_number() == 0, is_for_group: sender.multicast_groups() != 0 })
}

/// Sends a request, which goes whole or not at all.
pub(crate) fn send(socket: &Socket, bytes: &[u8]) -> Result<(), Errno> {
    socket.send(bytes, 0).map(drop).map_err(|error| errno_of(&error))
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
    socket: &'a Socket,
    groups: &'a [Group],
}

impl<'a> Membership<'a> {
    pub fn join(socket: &'a Socket, groups: &'a [Group]) -> io::Result<Self> {
        let membership = Self { socket, groups };
        for group in groups {
            socket.add_membership(*group as u32)?;
        }
        Ok(membership)
    }
}

impl Drop for Membership<'_> {
    fn drop(&mut self) {
        for group in self.groups {
            // To leave a group that was never joined is no error.
            let _ = self.socket.drop_membership(*group as u32);
        }
    }
}

/// Has the runtime watch the socket.
pub(crate) fn watch(socket: Socket) -> io::Result<AsyncFd<Socket>> {
    // SAFETY: it owns the descriptor, and always answers with the same one.
    unsafe { AsyncFd::register(socket) }.map_err(|error| error.into_parts().1)
}

/// The network namespace that the socket belongs to.
pub(crate) fn namespace(socket: &Socket) -> Result<OwnedFd, Errno> {
    // SAFETY: it takes no argument.
    let fd = Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGSKNS) })?;
    // SAFETY: the kernel has just made it, close-on-exec.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Whether both are the same file.
pub(crate) fn is_same(one: &OwnedFd, other: &OwnedFd) -> bool {
    let identity = |fd: &OwnedFd| fstat(fd.as_fd()).ok().map(|file| (file.st_dev, file.st_ino));
    identity(one).is_some_and(|one| Some(one) == identity(other))
}

/// The number of an error that a system call returned.
fn errno_of(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        errno_of(&error).into()
    }
}
