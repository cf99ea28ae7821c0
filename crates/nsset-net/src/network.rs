//! The network of a network namespace. The operations on links, addresses, routes and queueing disciplines are in their own
//! modules.

use std::{os::fd::OwnedFd, sync::Arc};

use crate::{
    error::{NetlinkError, Result},
    netlink::conversation::Conversation,
    netlink::socket,
};

/// The network of the namespace in which its socket was created. Clones share the socket. Dropping the last one closes it.
#[derive(Clone, Debug)]
pub struct Network {
    conversation: Arc<Conversation>,
}

impl Network {
    /// Takes a socket of `AF_NETLINK` and `NETLINK_ROUTE` that no other code uses. Must be called inside a tokio runtime.
    pub fn open(socket: OwnedFd) -> Result<Self> {
        Ok(Self { conversation: Arc::new(Conversation::open(socket)?) })
    }

    /// Like `open`, but needs no runtime: the calling thread waits for the kernel, so that the futures of all operations are ready
    /// when they are first polled. Only one thread at a time may use it.
    pub fn open_blocking(socket: OwnedFd) -> Result<Self> {
        Ok(Self { conversation: Arc::new(Conversation::open_blocking(socket)?) })
    }

    /// Returns the network namespace. The kernel allows this to callers that may change the network.
    pub fn namespace(&self) -> Result<OwnedFd> {
        let fd = socket::namespace(self.conversation.socket());
        fd.map_err(|errno| NetlinkError::from(errno).of("ioctl(SIOCGSKNS)", ""))
    }

    /// Returns whether this is the same network.
    pub(crate) fn is(&self, other: &Self) -> Result<bool> {
        Ok(Arc::ptr_eq(&self.conversation, &other.conversation)
            || socket::is_same(&self.namespace()?, &other.namespace()?))
    }

    pub(crate) fn conversation(&self) -> &Conversation {
        &self.conversation
    }
}
