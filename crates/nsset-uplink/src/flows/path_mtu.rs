//! The longest packet that the way from the host takes (`IP_MTU_DISCOVER` in ip(7)).

use std::io;

use socket2::{Domain, Socket};

use crate::socket_option::{get, set};

/// Whether the kernel cuts a datagram that is longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cutting {
    /// The datagram is an error (`EMSGSIZE`) and is not sent.
    Never,
    WhereNeeded,
}

impl Cutting {
    /// Makes it the rule for the next datagrams.
    pub fn apply(self, socket: &Socket) -> io::Result<()> {
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

/// The longest packet, as far as the kernel knows. The socket must be connected.
pub fn path_mtu(socket: &Socket) -> io::Result<u16> {
    let mtu = match socket.domain()? {
        Domain::IPV4 => get(socket, libc::IPPROTO_IP, libc::IP_MTU)?,
        _ => get(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU)?,
    };
    Ok(u16::try_from(mtu).unwrap_or(u16::MAX))
}
