//! The address that something is reached from: the kernel knows it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use super::OwnAddress;
use crate::inside::Inside;

/// Asks the kernel, with one socket for each family; nothing is sent.
pub struct Sources<'a> {
    own: &'a [OwnAddress],
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
}

impl<'a> Sources<'a> {
    /// With a socket for each family that is among the destinations, where one can be made.
    pub async fn open(inside: &Inside, own: &'a [OwnAddress], destinations: &[IpAddr]) -> Self {
        Self {
            own,
            v4: probe(inside, destinations.iter().find(|address| address.is_ipv4())).await,
            v6: probe(inside, destinations.iter().find(|address| address.is_ipv6())).await,
        }
    }

    /// Nothing where there is no way to it.
    pub fn of(&self, destination: IpAddr) -> Option<OwnAddress> {
        let socket = if destination.is_ipv4() { &self.v4 } else { &self.v6 };
        let destination = SocketAddr::new(destination, 0);
        let socket = socket.as_ref()?;
        let address = source(socket, destination)?;
        let known = match address {
            // Every address there is the link's, which has one.
            IpAddr::V4(address) if address.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            address => address,
        };
        let own = self.own.iter().find(|own| own.address == known);
        let unknown = OwnAddress { address, prefix: 0, deprecated: false };
        Some(own.map_or(unknown, |own| OwnAddress { address, ..*own }))
    }
}

async fn probe(inside: &Inside, destination: Option<&IpAddr>) -> Option<UdpSocket> {
    let destination = SocketAddr::new(*destination?, 0);
    inside.make(destination, libc::SOCK_DGRAM).await.ok().map(UdpSocket::from)
}

fn source(socket: &UdpSocket, destination: SocketAddr) -> Option<IpAddr> {
    disconnect(socket);
    socket.connect(destination).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Else the first source would stay.
fn disconnect(socket: &UdpSocket) {
    use std::os::fd::AsRawFd;

    let nowhere = libc::sockaddr { sa_family: libc::AF_UNSPEC as libc::sa_family_t, sa_data: [0; 14] };
    // SAFETY: the descriptor is open as long as `socket` is, and the address is as long as is said.
    unsafe { libc::connect(socket.as_raw_fd(), &raw const nowhere, size_of::<libc::sockaddr>() as libc::socklen_t) };
}
