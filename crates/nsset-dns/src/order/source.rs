//! Finds the source address for a destination.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use nix::sys::socket::{setsockopt, sockopt::Ipv6V6Only};

use super::own_address::OwnAddress;
use crate::inside::Inside;

/// Gets source addresses from the kernel by connecting UDP sockets, which sends nothing. One IPv6 socket serves both families, if
/// the kernel has IPv6.
pub struct Sources<'a> {
    own: &'a [OwnAddress],
    v6: Option<UdpSocket>,
    v4: Option<UdpSocket>,
}

impl<'a> Sources<'a> {
    pub async fn open(inside: &Inside, own: &'a [OwnAddress]) -> Self {
        let v6 = probe(inside, Ipv6Addr::LOCALHOST.into()).await.filter(takes_both);
        let v4 = if v6.is_none() { probe(inside, Ipv4Addr::LOCALHOST.into()).await } else { None };
        Self { own, v6, v4 }
    }

    /// Returns the source address for a destination, or `None` if there is no route to it.
    pub fn of(&self, destination: IpAddr) -> Option<OwnAddress> {
        let found = match (&self.v6, destination) {
            (Some(socket), IpAddr::V4(address)) => source(socket, address.to_ipv6_mapped().into())?.to_canonical(),
            (Some(socket), IpAddr::V6(_)) => source(socket, destination)?,
            (None, _) => source(self.v4.as_ref()?, destination)?,
        };
        let known = match found {
            // The loopback link has all of 127.0.0.0/8, but lists one address.
            IpAddr::V4(address) if address.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            address => address,
        };
        let own = self.own.iter().find(|own| own.address == known);
        let unknown = OwnAddress { address: found, prefix: 0, deprecated: false };
        Some(own.map_or(unknown, |own| OwnAddress { address: found, ..*own }))
    }
}

async fn probe(inside: &Inside, destination: IpAddr) -> Option<UdpSocket> {
    inside.make(SocketAddr::new(destination, 0), libc::SOCK_DGRAM).await.ok().map(UdpSocket::from)
}

/// Makes an IPv6 socket also serve IPv4, independently of `net.ipv6.bindv6only`.
fn takes_both(socket: &UdpSocket) -> bool {
    setsockopt(socket, Ipv6V6Only, &false).is_ok()
}

fn source(socket: &UdpSocket, destination: IpAddr) -> Option<IpAddr> {
    disconnect(socket);
    socket.connect(SocketAddr::new(destination, 0)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Disconnects a socket, because otherwise it would keep its first source address.
fn disconnect(socket: &UdpSocket) {
    use std::os::fd::AsRawFd;

    let nowhere = libc::sockaddr { sa_family: libc::AF_UNSPEC as libc::sa_family_t, sa_data: [0; 14] };
    // SAFETY: the descriptor is open as long as `socket` is, and the address has the length that is passed.
    unsafe { libc::connect(socket.as_raw_fd(), &raw const nowhere, size_of::<libc::sockaddr>() as libc::socklen_t) };
}
