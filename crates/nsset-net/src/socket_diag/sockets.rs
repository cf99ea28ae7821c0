//! The operations on the sockets of a network.

use std::os::fd::OwnedFd;

use nix::errno::Errno;

use super::{
    filter::SocketFilter,
    inet,
    socket::{InetSocket, NetworkSocket, SocketProtocol},
    unix,
};
use crate::{
    error::{Error, NetlinkError, Result},
    family::Family,
    netlink::attributes::Malformed,
    netlink::conversation::Conversation,
    netlink::message::Message,
    netlink::request::Request,
};

/// Lists and closes the sockets of the network in which its own socket was created.
#[derive(Debug)]
pub struct SocketDiag {
    conversation: Conversation,
}

impl SocketDiag {
    /// Takes a socket of `AF_NETLINK` and `NETLINK_SOCK_DIAG` that no other code uses. Must be called inside a tokio runtime.
    pub fn open(socket: OwnedFd) -> Result<Self> {
        Ok(Self { conversation: Conversation::open(socket)? })
    }

    /// Like `open`, but needs no runtime, as [`Network::open_blocking`](crate::Network::open_blocking).
    pub fn open_blocking(socket: OwnedFd) -> Result<Self> {
        Ok(Self { conversation: Conversation::open_blocking(socket)? })
    }

    /// Lists the sockets that match. The kernel does not report whether sockets come and go meanwhile.
    pub async fn list(&self, filter: &SocketFilter) -> Result<Vec<NetworkSocket>> {
        let mut found = Vec::new();
        for protocol in [SocketProtocol::Tcp, SocketProtocol::Udp, SocketProtocol::Raw] {
            for family in [Family::Ipv4, Family::Ipv6] {
                if filter.wants(protocol) && filter.wants_family(family) {
                    let read = |message: &[u8]| inet::read(protocol, message).map(NetworkSocket::Inet);
                    found.extend(self.dump(filter, protocol, inet::list(protocol, family, &filter.state), read).await?);
                }
            }
        }
        if filter.wants(SocketProtocol::Unix) {
            let read = |message: &[u8]| unix::read(message).map(NetworkSocket::Unix);
            found.extend(self.dump(filter, SocketProtocol::Unix, unix::list(&filter.state), read).await?);
        }
        found.retain(|socket| filter.matches(socket));
        Ok(found)
    }

    async fn dump(
        &self,
        filter: &SocketFilter,
        protocol: SocketProtocol,
        message: Message,
        read: impl Fn(&[u8]) -> std::result::Result<NetworkSocket, Malformed> + Sync,
    ) -> Result<Vec<NetworkSocket>> {
        match self.conversation.dump(Request::dump(message), |message| read(message).map(Some)).await {
            // The kernel has no module for the protocol, for example `raw_diag`.
            Err(error) if error.errno == Errno::ENOENT && filter.protocol.is_empty() => Ok(Vec::new()),
            outcome => outcome.map_err(|error| error.of("SOCK_DIAG_BY_FAMILY", format!("{protocol:?}").to_lowercase())),
        }
    }

    /// Closes the sockets of IP that match, as if their connections had been aborted: their owners get `ECONNABORTED`. Returns
    /// those that were closed.
    pub async fn destroy(&self, filter: &SocketFilter) -> Result<Vec<InetSocket>> {
        let mut destroyed = Vec::new();
        for socket in self.list(filter).await? {
            let NetworkSocket::Inet(socket) = socket else { continue };
            match self.conversation.act(Request::act(inet::destroy(&socket))).await {
                Ok(()) => destroyed.push(socket),
                // It was closed in the meantime.
                Err(error) if matches!(error.errno, Errno::ENOENT | Errno::ESTALE) => {}
                Err(error) => return Err(refused(error, &socket)),
            }
        }
        Ok(destroyed)
    }
}

fn refused(error: NetlinkError, socket: &InetSocket) -> Error {
    let target = format!("{:?} {}:{}", socket.protocol, socket.local.address, socket.local.port).to_lowercase();
    let is_unsupported = error.errno == Errno::EOPNOTSUPP;
    let error = error.of("SOCK_DESTROY", target);
    if is_unsupported {
        error.with_hint("the kernel has to be built with CONFIG_INET_DIAG_DESTROY".into())
    } else {
        error
    }
}
