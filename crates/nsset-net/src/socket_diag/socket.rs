//! A socket, as the kernel describes it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::state::SocketState;
use crate::{family::Family, link_ref};

/// The protocol of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SocketProtocol {
    Tcp,
    Udp,
    Raw,
    Unix,
}

/// A socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum NetworkSocket {
    Inet(InetSocket),
    Unix(UnixSocket),
}

/// One end of a connection. A raw socket has the number of its protocol as its port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SocketEnd {
    pub address: IpAddr,
    pub port: u16,
}

/// A socket of TCP or UDP, or a raw one.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InetSocket {
    pub protocol: SocketProtocol,
    pub family: Family,
    pub state: SocketState,
    pub local: SocketEnd,
    /// `None` if the socket is not connected.
    pub remote: Option<SocketEnd>,
    /// The index of the link to which it is bound.
    #[serde(serialize_with = "link_ref::optional_index")]
    pub link: Option<u32>,
    /// In bytes; for a listening socket, connections that were not accepted.
    pub receive_queue: u32,
    /// In bytes; for a listening socket, the most connections that wait (listen(2)).
    pub send_queue: u32,
    pub uid: u32,
    /// 0 if no process has it open.
    pub inode: u32,
    #[serde(skip)]
    pub(super) id: [u8; 48],
}

/// A unix socket.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnixSocket {
    pub protocol: SocketProtocol,
    #[serde(rename = "type")]
    pub kind: UnixSocketKind,
    pub state: SocketState,
    /// Begins with a NUL if it is abstract.
    pub path: Option<String>,
    /// The inode of the other end.
    pub peer: Option<u32>,
    /// In bytes; for a listening socket, connections that were not accepted.
    pub receive_queue: u32,
    /// In bytes; for a listening socket, the most connections that wait (listen(2)).
    pub send_queue: u32,
    /// Linux 5.3 and later.
    pub uid: Option<u32>,
    pub inode: u32,
}

/// The type of a unix socket: unix(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UnixSocketKind {
    Stream,
    Datagram,
    Seqpacket,
}
