//! The operations on WireGuard links.

use std::{os::fd::OwnedFd, sync::Arc};

use netlink_packet_generic::{GenlFamily, GenlMessage};
use netlink_packet_wireguard::WireguardMessage;
use tokio::sync::{Mutex, OnceCell};

use super::{device::WireGuard, messages, spec::WireGuardSpec};
use crate::{
    error::Result, link_ref::LinkRef, netlink::attributes::Malformed, netlink::conversation::Conversation,
    netlink::generic::family, netlink::request::Request,
};

/// The WireGuard links of the network in which the socket was created. Clones share the socket. Dropping the last one closes it.
///
/// ```no_run
/// # async fn example(network: nsset_net::Network, socket: std::os::fd::OwnedFd) -> nsset_net::Result<()> {
/// use nsset_net::{LinkKind, LinkSpec, PeerSpec, SecretKey, WireGuardSpec, WireGuards};
///
/// let wg0 = network.links().add(&LinkSpec::new("wg0", LinkKind::WireGuard)).await?;
/// let peer = PeerSpec {
///     endpoint: Some("192.0.2.1:51820".parse().unwrap()),
///     allowed_ips: vec!["10.9.0.0/24".parse().unwrap()],
///     ..PeerSpec::new("+a8E+0EiKu3+F4J9qXFohtlIaWVPV5LmWaZSkdqCPF4=".parse()?)
/// };
/// let spec =
///     WireGuardSpec { private_key: Some(SecretKey::generate()?), peers: vec![peer], ..WireGuardSpec::default() };
/// let wireguards = WireGuards::open(socket)?;
/// wireguards.set(wg0.index, &"wg0".into(), &spec).await?;
/// println!("{:?}", wireguards.get(wg0.index, &"wg0".into()).await?.public_key);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WireGuards {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    conversation: Conversation,
    family: OnceCell<u16>,
    /// The holder of this lock may send the messages of a `set`. Other requests must not come between these.
    turn: Mutex<()>,
}

impl WireGuards {
    /// Takes a socket of `AF_NETLINK` and `NETLINK_GENERIC` that no other code uses. Must be called inside a tokio runtime.
    pub fn open(socket: OwnedFd) -> Result<Self> {
        Conversation::open(socket).map(Self::over)
    }

    /// Like `open`, but needs no runtime, as [`Network::open_blocking`](crate::Network::open_blocking).
    pub fn open_blocking(socket: OwnedFd) -> Result<Self> {
        Conversation::open_blocking(socket).map(Self::over)
    }

    fn over(conversation: Conversation) -> Self {
        let shared = Shared { conversation, family: OnceCell::new(), turn: Mutex::new(()) };
        Self { shared: Arc::new(shared) }
    }

    /// Returns the keys and peers of the link with this index. Errors refer to the link as `called`.
    ///
    /// Errors: `EPERM` without CAP_NET_ADMIN, `ENODEV` if the link does not exist, `EOPNOTSUPP` if it is of another kind,
    /// `ENOENT` if the kernel has no WireGuard.
    pub async fn get(&self, index: u32, called: &LinkRef) -> Result<WireGuard> {
        let message = self.addressed(messages::get(index), called).await?;
        let read = |message: &[u8]| WireGuard::read(message).map(Some);
        let parts = self.shared.conversation.dump(Request::dump(message), read).await;
        let whole = parts.and_then(|parts| {
            let whole = parts.into_iter().reduce(WireGuard::continued_by);
            whole.ok_or_else(|| Malformed.into())
        });
        whole.map_err(|error| error.of("WG_CMD_GET_DEVICE", called))
    }

    /// Changes the keys and peers of the link with this index. Errors refer to the link as `called`.
    ///
    /// The kernel makes the changes one after the other, for up to a hundred peers at a time. If one fails, the changes before it
    /// stay. If there are many peers, the link has only some of them for a moment. Two calls, also on clones, do not mix.
    ///
    /// Errors: those of [`get`](Self::get), `EADDRINUSE` if another socket has the port, and [`Error::OutOfRange`] for a
    /// keepalive interval that the kernel does not support.
    ///
    /// [`Error::OutOfRange`]: crate::Error::OutOfRange
    pub async fn set(&self, index: u32, called: &LinkRef, spec: &WireGuardSpec) -> Result<()> {
        spec.check()?;
        let _turn = self.shared.turn.lock().await;
        for message in messages::set(index, spec)? {
            let message = self.addressed(message, called).await?;
            let outcome = self.shared.conversation.act(Request::act(message)).await;
            outcome.map_err(|error| error.of("WG_CMD_SET_DEVICE", called))?;
        }
        Ok(())
    }

    async fn addressed(&self, message: WireguardMessage, called: &LinkRef) -> Result<GenlMessage<WireguardMessage>> {
        let mut message = GenlMessage::from_payload(message);
        message.set_resolved_family_id(*self.shared.family.get_or_try_init(|| self.ask_family(called)).await?);
        Ok(message)
    }

    async fn ask_family(&self, called: &LinkRef) -> Result<u16> {
        let name = WireguardMessage::family_name();
        let number = self.shared.conversation.get(family::request(name), family::read).await;
        let target = || format!("'{name}' for link {called}");
        number.map_err(|error| error.of_kind("CTRL_CMD_GETFAMILY", target(), name))
    }
}
