//! The messages about unix sockets: linux/unix_diag.h.

use super::{
    inet::BY_FAMILY,
    socket::{SocketProtocol, UnixSocket, UnixSocketKind},
    state::SocketState,
};
use crate::netlink::{
    attributes::{Attributes, Malformed, u8_at, u32_at},
    message::Message,
};

/// `UDIAG_SHOW_NAME`, `_PEER`, `_RQLEN` and `_UID`.
const SHOW: u32 = 0x01 | 0x04 | 0x10 | 0x40;

// `UNIX_DIAG_*`.
const NAME: u16 = 0;
const PEER: u16 = 2;
const QUEUES: u16 = 4;
const UID: u16 = 7;

/// `struct unix_diag_msg`.
const HEADER: usize = 16;

/// Returns a request for the sockets in these states: a `struct unix_diag_req`.
pub(super) fn list(states: &[SocketState]) -> Message {
    let mut bytes = vec![libc::AF_UNIX as u8, 0, 0, 0];
    for word in [SocketState::mask(states), 0, SHOW, 0, 0] {
        bytes.extend(word.to_ne_bytes());
    }
    Message::new(BY_FAMILY, bytes)
}

/// Reads the body of an answer.
pub(super) fn read(message: &[u8]) -> Result<UnixSocket, Malformed> {
    let mut socket = UnixSocket {
        protocol: SocketProtocol::Unix,
        kind: match i32::from(u8_at(message, 1)?) {
            libc::SOCK_DGRAM => UnixSocketKind::Datagram,
            libc::SOCK_SEQPACKET => UnixSocketKind::Seqpacket,
            _ => UnixSocketKind::Stream,
        },
        state: u8_at(message, 2)?.into(),
        path: None,
        peer: None,
        receive_queue: 0,
        send_queue: 0,
        uid: None,
        inode: u32_at(message, 4)?,
    };
    for attribute in Attributes::behind(HEADER, message)? {
        match attribute? {
            (NAME, value) => socket.path = Some(path(value)),
            (PEER, value) => socket.peer = Some(u32_at(value, 0)?).filter(|peer| *peer != 0),
            (QUEUES, value) => {
                socket.receive_queue = u32_at(value, 0)?;
                socket.send_queue = u32_at(value, 4)?;
            }
            (UID, value) => socket.uid = Some(u32_at(value, 0)?),
            _ => {}
        }
    }
    Ok(socket)
}

/// An abstract name begins with a NUL and can have others. A path can end with one.
fn path(value: &[u8]) -> String {
    let name = if value.first() == Some(&0) { value } else { value.strip_suffix(&[0]).unwrap_or(value) };
    String::from_utf8_lossy(name).into_owned()
}
