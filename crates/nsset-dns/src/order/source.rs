//! The address that something is reached from: the kernel knows it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use super::OwnAddress;
use crate::inside::Inside;

/// Asks the kernel, with one socket for each family; nothing is sent.
pub struct Sources<'a> {
    inside: &'a Inside,
    own: &'a [OwnAddress],
    v4: Probe,
    v6: Probe,
}

enum Probe {
    NotMade,
    Made(UdpSocket),
    Impossible,
}

impl<'a> Sources<'a> {
    pub fn new(inside: &'a Inside, own: &'a [OwnAddress]) -> Self {
        Self { inside, own, v4: Probe::NotMade, v6: Probe::NotMade }
    }

    /// Nothing where there is no way to it.
    pub fn of(&mut self, destination: IpAddr) -> Option<OwnAddress> {
        let destination = SocketAddr::new(destination, 0);
        let probe = if destination.is_ipv4() { &mut self.v4 } else { &mut self.v6 };
        if let Probe::NotMade = probe {
            *probe = self
                .inside
                .make(destination, libc::SOCK_DGRAM)
                .map_or(Probe::Impossible, |made| Probe::Made(made.into()));
        }
        let Probe::Made(socket) = probe else { return None };
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
