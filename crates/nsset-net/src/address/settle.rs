//! Waits for the end of duplicate address detection (RFC 4862).

use std::{os::fd::OwnedFd, time::Duration};

use nix::errno::Errno;
use tokio::time::Instant;

use super::{Address, AddressSpec, Addresses};
use crate::{
    error::{NetlinkError, Result},
    link_ref::LinkRef,
    netlink::socket::{self, Group},
    netlink::waiting::WaitingSocket,
};

/// How long a call waits. The detection itself takes one or two seconds, once the link has a carrier.
const PATIENCE: Duration = Duration::from_secs(10);

/// A socket that the kernel tells when IPv6 addresses change.
#[derive(Debug)]
pub struct AddressChanges(WaitingSocket);

impl AddressChanges {
    /// Takes a socket of `AF_NETLINK` and `NETLINK_ROUTE` that no other code uses. Must be called inside a tokio runtime.
    pub fn open(socket: OwnedFd) -> Result<Self> {
        let prepared = prepared(socket).map(WaitingSocket::Task);
        prepared.map(Self).map_err(|error| error.of("setsockopt(NETLINK_ADD_MEMBERSHIP)", ""))
    }

    /// Like `open`, but the calling thread waits.
    pub fn open_blocking(socket: OwnedFd) -> Result<Self> {
        let prepared = prepared(socket).map(WaitingSocket::Thread);
        prepared.map(Self).map_err(|error| error.of("setsockopt(NETLINK_ADD_MEMBERSHIP)", ""))
    }

    /// Waits for the next change. What it is does not matter: notifications can be forged and lost, so the caller lists the
    /// addresses.
    async fn next(&self, deadline: Instant) -> std::result::Result<(), NetlinkError> {
        let mut has_changed = false;
        loop {
            match socket::receive(self.0.get(), &mut [0]) {
                Ok(_) | Err(Errno::ENOBUFS) => has_changed = true,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) if has_changed => return Ok(()),
                Err(Errno::EAGAIN) => self.0.readable(deadline).await?,
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

fn prepared(socket: OwnedFd) -> std::result::Result<rtnetlink::sys::Socket, NetlinkError> {
    let mut socket = socket::own(socket);
    socket.bind_auto()?;
    socket::prepare(&socket)?;
    socket.add_membership(Group::Ipv6Address.number())?;
    Ok(socket)
}

impl Addresses<'_> {
    /// Waits until an address that was added is not tentative any more. `changes` has to be open since before that.
    ///
    /// Errors: `EADDRINUSE` if another host has the address, `EADDRNOTAVAIL` if it was deleted meanwhile, `ETIMEDOUT`.
    pub async fn settled(&self, link: &LinkRef, address: &AddressSpec, changes: &AddressChanges) -> Result<()> {
        let index = LinkRef::Index(self.network.links().index(link).await?);
        let failed = |errno: Errno, hint: &str| {
            Err(NetlinkError::from(errno).of("RTM_NEWADDR", address.target(link)).with_hint(hint.into()))
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = self.list(Some(&index)).await?;
            match now.iter().find(|now| now.cidr.addr() == address.cidr.addr()) {
                Some(Address { duplicate: true, .. }) => {
                    return failed(Errno::EADDRINUSE, "another host on the link has the address");
                }
                Some(Address { tentative: false, .. }) => return Ok(()),
                Some(_) => {}
                None => return failed(Errno::EADDRNOTAVAIL, "it was deleted before duplicate address detection ended"),
            }
            match changes.next(deadline).await {
                Err(error) if error.errno == Errno::ETIMEDOUT => {
                    let hint =
                        "duplicate address detection has not ended: it begins when the link is up and has a carrier";
                    return failed(Errno::ETIMEDOUT, hint);
                }
                outcome => outcome.map_err(|error| error.of("RTM_NEWADDR", address.target(link)))?,
            }
        }
    }
}
