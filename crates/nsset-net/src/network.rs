//! The network of a network namespace. The operations on links, addresses, routes and queueing disciplines are in their own
//! modules.

use std::{os::fd::OwnedFd, sync::Arc};

use crate::{
    error::{NetlinkError, Result},
    netlink::attributes::Malformed,
    netlink::conversation::{Conversation, Dump},
    netlink::request::Request,
    netlink::socket::{self, Group},
};

/// The network of the namespace in which its socket was created. Clones share the socket. Dropping the last one closes it.
#[derive(Clone, Debug)]
pub struct Network {
    conversation: Arc<Conversation>,
    /// Whether lists may be inexact.
    is_tolerant: bool,
}

impl Network {
    /// Takes a socket of `AF_NETLINK` and `NETLINK_ROUTE` that no other code uses. Must be called inside a tokio runtime.
    pub fn open(socket: OwnedFd) -> Result<Self> {
        Ok(Self { conversation: Arc::new(Conversation::open(socket)?), is_tolerant: false })
    }

    /// Like `open`, but needs no runtime: the calling thread waits for the kernel, so that the futures of all operations are ready
    /// when they are first polled. Only one thread at a time may use it.
    pub fn open_blocking(socket: OwnedFd) -> Result<Self> {
        Ok(Self { conversation: Arc::new(Conversation::open_blocking(socket)?), is_tolerant: false })
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

    /// Returns the same network, with lists that are what the kernel returns at once: objects that changed meanwhile may be missing
    /// or be listed twice. The lists of other networks are exact, or fail with `EAGAIN` if objects keep changing.
    #[must_use]
    pub fn tolerant(&self) -> Self {
        Self { is_tolerant: true, ..self.clone() }
    }

    pub(crate) const fn is_tolerant(&self) -> bool {
        self.is_tolerant
    }

    /// See [`Conversation::dump`].
    pub(crate) async fn dump<T: Send>(
        &self,
        mut request: Request,
        read: impl Fn(&[u8]) -> std::result::Result<Option<T>, Malformed> + Sync,
    ) -> std::result::Result<Vec<T>, NetlinkError> {
        if self.is_tolerant {
            return self.conversation.dump_once(&mut request, &read).await.map(Dump::into_all);
        }
        self.conversation.dump(request, read).await
    }

    /// See [`Conversation::dump_unchanged`].
    pub(crate) async fn dump_unchanged<T: Send>(
        &self,
        mut request: Request,
        read: &(impl Fn(&[u8]) -> std::result::Result<Option<T>, Malformed> + Sync),
        groups: &[Group],
    ) -> std::result::Result<Vec<T>, NetlinkError> {
        if self.is_tolerant {
            return self.conversation.dump_once(&mut request, read).await.map(Dump::into_all);
        }
        self.conversation.dump_unchanged(request, read, groups).await
    }

    pub(crate) fn conversation(&self) -> &Conversation {
        &self.conversation
    }
}
