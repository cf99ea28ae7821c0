//! The network of a network namespace. The operations on links, addresses, routes and queueing disciplines are in their own
//! modules.

use std::{
    os::fd::{AsRawFd, OwnedFd},
    sync::Arc,
};

use netlink_packet_route::{
    RouteNetlinkMessage,
    nsid::{NsidAttribute, NsidMessage},
};

use crate::{
    error::{NetlinkError, Result},
    netlink::attributes::{Attributes, Malformed, u32_at},
    netlink::conversation::Conversation,
    netlink::request::Request,
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

    /// Returns the id of another network in this one (ip-netns(8)). `None` if it is this network, or has no id yet.
    pub(crate) async fn number_of(&self, other: &Self) -> Result<Option<i32>> {
        if Arc::ptr_eq(&self.conversation, &other.conversation) {
            return Ok(None);
        }
        let namespace = other.namespace()?;
        if socket::is_same(&self.namespace()?, &namespace) {
            return Ok(None);
        }
        let mut message = NsidMessage::default();
        message.attributes.push(NsidAttribute::Fd(namespace.as_raw_fd() as u32));
        let request = Request::act(RouteNetlinkMessage::GetNsId(message));
        let number = self.conversation.get(request, read_number).await;
        number.map_err(|error| error.of("RTM_GETNSID", ""))
    }

    pub(crate) fn conversation(&self) -> &Conversation {
        &self.conversation
    }
}

/// `struct rtgenmsg` of linux/rtnetlink.h, padded.
const HEADER: usize = 4;

/// `NETNSA_NSID` of linux/net_namespace.h; -1 means no id.
const NUMBER: u16 = 1;

/// Reads the body of an `RTM_NEWNSID`.
fn read_number(message: &[u8]) -> std::result::Result<Option<i32>, Malformed> {
    for attribute in Attributes::behind(HEADER, message)? {
        if let (NUMBER, value) = attribute? {
            return Ok(Some(u32_at(value, 0)? as i32).filter(|number| *number >= 0));
        }
    }
    Err(Malformed)
}
