//! The longest packet that the way from the host takes (`IP_MTU_DISCOVER` in ip(7)).

use std::io;

use socket2::{Domain, Socket};

use crate::{
    packets::icmp_error::IcmpError,
    socket_option::{get, set},
};

/// Whether the kernel cuts a datagram that is longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cutting {
    /// The datagram is an error (`EMSGSIZE`) and is not sent.
    Never,
    WhereNeeded,
}

impl Cutting {
    /// Makes it the rule for the next datagrams.
    fn apply(self, socket: &Socket) -> io::Result<()> {
        let (level, option) = match socket.domain()? {
            Domain::IPV4 => (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER),
            _ => (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER),
        };
        // Both families use the same values.
        let value = match self {
            Self::Never => libc::IP_PMTUDISC_DO,
            Self::WhereNeeded => libc::IP_PMTUDISC_DONT,
        };
        set(socket, level, option, value)
    }
}

/// Makes a new socket ready for `send`.
pub fn never_cut(socket: &Socket) -> io::Result<()> {
    Cutting::Never.apply(socket)
}

/// Sends a datagram as a router does: the kernel cuts it only if its packet inside may be cut.
///
/// # Errors
/// `EMSGSIZE` if it is too long for the way and must not be cut. Any error may belong to an earlier datagram (udp(7)).
pub fn send(socket: &Socket, datagram: &[u8], may_be_cut: bool) -> io::Result<usize> {
    if !may_be_cut {
        return socket.send(datagram);
    }
    Cutting::WhereNeeded.apply(socket)?;
    let sent = socket.send(datagram);
    Cutting::Never.apply(socket)?;
    sent
}

/// The message about an error of a socket for datagrams, if there is one.
pub fn message_of(socket: &Socket, error: &io::Error) -> Option<IcmpError> {
    match error.raw_os_error()? {
        libc::ECONNREFUSED => Some(IcmpError::Port),
        libc::ENETUNREACH => Some(IcmpError::Network),
        libc::EHOSTUNREACH => Some(IcmpError::Host),
        // The host's own link does not take it, or a router on the way has said so.
        libc::EMSGSIZE => path_mtu(socket).ok().map(IcmpError::TooBig),
        _ => None,
    }
}

/// The longest packet, as far as the kernel knows. The socket must be connected.
fn path_mtu(socket: &Socket) -> io::Result<u16> {
    let mtu = match socket.domain()? {
        Domain::IPV4 => get(socket, libc::IPPROTO_IP, libc::IP_MTU)?,
        _ => get(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU)?,
    };
    Ok(u16::try_from(mtu).unwrap_or(u16::MAX))
}
