//! The messages about sockets of IP: linux/inet_diag.h.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    socket::{InetSocket, SocketEnd, SocketProtocol},
    state::SocketState,
};
use crate::{
    family::Family,
    netlink::attributes::{Malformed, array_at, u8_at, u32_at},
    netlink::message::Message,
};

/// `SOCK_DIAG_BY_FAMILY` and `SOCK_DESTROY` of linux/sock_diag.h.
pub(super) const BY_FAMILY: u16 = 20;
const DESTROY: u16 = 21;

/// `struct inet_diag_sockid`.
const ID: usize = 48;

/// Returns a request for the sockets of a protocol and a family in these states.
pub(super) fn list(protocol: SocketProtocol, family: Family, states: &[SocketState]) -> Message {
    message(BY_FAMILY, protocol, family, SocketState::mask(states), &[0; ID])
}

/// Returns a request to close a socket.
pub(super) fn destroy(socket: &InetSocket) -> Message {
    message(DESTROY, socket.protocol, socket.family, u32::MAX, &socket.id)
}

/// Writes a `struct inet_diag_req_v2`.
fn message(kind: u16, protocol: SocketProtocol, family: Family, states: u32, id: &[u8; ID]) -> Message {
    let number = match protocol {
        SocketProtocol::Tcp => libc::IPPROTO_TCP,
        SocketProtocol::Udp => libc::IPPROTO_UDP,
        SocketProtocol::Raw | SocketProtocol::Unix => libc::IPPROTO_RAW,
    };
    let mut bytes = vec![family.number(), number as u8, 0, 0];
    bytes.extend(states.to_ne_bytes());
    bytes.extend(id);
    Message::new(kind, bytes)
}

/// Reads a `struct inet_diag_msg`.
pub(super) fn read(protocol: SocketProtocol, message: &[u8]) -> Result<InetSocket, Malformed> {
    let family = Family::from_number(u8_at(message, 0)?).ok_or(Malformed)?;
    let id: [u8; ID] = array_at(message, 4)?;
    let port = |at: usize| array_at(&id, at).map(u16::from_be_bytes);
    let address = |at: usize| -> Result<IpAddr, Malformed> {
        Ok(match family {
            Family::Ipv4 => Ipv4Addr::from(array_at::<4>(&id, at)?).into(),
            Family::Ipv6 => Ipv6Addr::from(array_at::<16>(&id, at)?).into(),
        })
    };
    let remote = SocketEnd { address: address(20)?, port: port(2)? };
    let is_connected = !remote.address.is_unspecified() || remote.port != 0;
    Ok(InetSocket {
        protocol,
        family,
        state: u8_at(message, 1)?.into(),
        local: SocketEnd { address: address(4)?, port: port(0)? },
        remote: Some(remote).filter(|_| is_connected),
        link: Some(u32_at(&id, 36)?).filter(|link| *link != 0),
        receive_queue: u32_at(message, 56)?,
        send_queue: u32_at(message, 60)?,
        uid: u32_at(message, 64)?,
        inode: u32_at(message, 68)?,
        id,
    })
}
