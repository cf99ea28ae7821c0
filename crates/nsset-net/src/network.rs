//! The network of a network namespace.

use std::{
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use crate::{
    address::Addresses,
    conversation::Conversation,
    error::{Refusal, Result},
    link::Links,
    qdisc::Qdiscs,
    route::Routes,
    socket::{self, Protocol},
};

/// The network of the namespace in which its socket was born. A clone shares the socket; it is closed with the last.
#[derive(Clone, Debug)]
pub struct Network {
    conversation: Arc<Conversation>,
}

impl Network {
    /// Takes a socket of `AF_NETLINK` and `NETLINK_ROUTE` that nobody else uses. To be called inside a tokio runtime.
    pub fn open(socket: OwnedFd) -> Result<Self> {
        Ok(Self { conversation: Arc::new(Conversation::open(socket, Protocol::Route)?) })
    }

    /// The network namespace itself; who may change it may have it.
    pub fn namespace(&self) -> Result<OwnedFd> {
        let fd = socket::namespace(self.conversation.as_fd());
        fd.map_err(|errno| Refusal::from(errno).of("ioctl(SIOCGSKNS)", ""))
    }

    pub const fn links(&self) -> Links<'_> {
        Links::of(self)
    }

    pub const fn addresses(&self) -> Addresses<'_> {
        Addresses::of(self)
    }

    pub const fn routes(&self) -> Routes<'_> {
        Routes::of(self)
    }

    pub const fn qdiscs(&self) -> Qdiscs<'_> {
        Qdiscs::of(self)
    }

    pub(crate) fn conversation(&self) -> &Conversation {
        &self.conversation
    }
}
