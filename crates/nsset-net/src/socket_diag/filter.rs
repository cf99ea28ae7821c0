//! Which sockets are listed. The kernel selects by protocol, family and state; this crate selects by the rest.

use std::net::IpAddr;

use serde::Deserialize;

use super::{
    socket::{InetSocket, NetworkSocket, SocketProtocol, UnixSocket},
    state::SocketState,
};
use crate::family::Family;

/// Selects sockets. Fields that are left out match any value; a list matches any of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SocketFilter {
    pub protocol: Vec<SocketProtocol>,
    pub family: Option<Family>,
    pub state: Vec<SocketState>,
    pub local_address: Option<IpAddr>,
    pub local_port: Option<u16>,
    pub remote_address: Option<IpAddr>,
    pub remote_port: Option<u16>,
    pub path: Option<String>,
    pub uid: Option<u32>,
    pub inode: Option<u32>,
}

impl SocketFilter {
    /// Whether sockets of this protocol can match.
    pub(super) fn wants(&self, protocol: SocketProtocol) -> bool {
        let is_unix = protocol == SocketProtocol::Unix;
        let is_possible = if is_unix { !self.is_for_ip() } else { self.path.is_none() };
        is_possible && (self.protocol.is_empty() || self.protocol.contains(&protocol))
    }

    /// Whether sockets of this family can match.
    pub(super) fn wants_family(&self, family: Family) -> bool {
        self.family.is_none_or(|wanted| wanted == family)
    }

    fn is_for_ip(&self) -> bool {
        let has_port = self.local_port.is_some() || self.remote_port.is_some();
        self.family.is_some() || has_port || self.local_address.is_some() || self.remote_address.is_some()
    }

    pub(super) fn matches(&self, socket: &NetworkSocket) -> bool {
        match socket {
            NetworkSocket::Inet(socket) => self.matches_inet(socket),
            NetworkSocket::Unix(socket) => self.matches_unix(socket),
        }
    }

    fn matches_inet(&self, socket: &InetSocket) -> bool {
        let remote = socket.remote.as_ref();
        is(self.local_address, Some(socket.local.address))
            && is(self.local_port, Some(socket.local.port))
            && is(self.remote_address, remote.map(|remote| remote.address))
            && is(self.remote_port, remote.map(|remote| remote.port))
            && is(self.uid, Some(socket.uid))
            && is(self.inode, Some(socket.inode))
    }

    fn matches_unix(&self, socket: &UnixSocket) -> bool {
        is(self.path.as_deref(), socket.path.as_deref())
            && is(self.uid, socket.uid)
            && is(self.inode, Some(socket.inode))
    }
}

fn is<T: PartialEq>(wanted: Option<T>, found: Option<T>) -> bool {
    wanted.is_none() || wanted == found
}
