//! Receives and sends datagrams with the local address that each was sent to. A socket that is bound to all addresses must answer
//! from the address that its client has used (ip(7), ipv6(7)).

use std::{
    io::{self, IoSlice, IoSliceMut},
    net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    os::fd::AsRawFd,
};

use nix::{
    cmsg_space,
    sys::socket::{
        ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt,
        sockopt::{Ipv4PacketInfo, Ipv6RecvPacketInfo},
    },
};
use socket2::Socket;

/// The two ends of a flow, as its listening socket sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ends {
    pub client: SocketAddr,
    /// `None` if the kernel did not report it.
    pub local: Option<Local>,
}

/// The address that a client sends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    address: IpAddr,
    /// The link of a link-local address, otherwise 0: the answer takes the route of its destination.
    link: u32,
}

/// Makes the kernel report the local address of each datagram.
pub fn request(socket: &Socket, is_ipv6: bool) -> nix::Result<()> {
    if is_ipv6 { setsockopt(socket, Ipv6RecvPacketInfo, &true) } else { setsockopt(socket, Ipv4PacketInfo, &true) }
}

/// Receives a datagram. Returns its length, and its two ends; `None` for a sender that has no IP address.
pub fn receive(socket: &Socket, buffer: &mut [u8]) -> io::Result<Option<(usize, Ends)>> {
    let mut control = cmsg_space!(libc::in6_pktinfo);
    let mut slices = [IoSliceMut::new(buffer)];
    let message =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(&mut control), MsgFlags::MSG_DONTWAIT)?;
    let Some(client) = message.address.as_ref().and_then(ip_of) else { return Ok(None) };
    let local = message.cmsgs()?.find_map(|message| match message {
        ControlMessageOwned::Ipv4PacketInfo(info) => {
            Some(Local { address: IpAddr::V4(u32::from_be(info.ipi_addr.s_addr).into()), link: 0 })
        }
        ControlMessageOwned::Ipv6PacketInfo(info) => {
            let address = Ipv6Addr::from(info.ipi6_addr.s6_addr);
            let link = if address.is_unicast_link_local() { info.ipi6_ifindex } else { 0 };
            Some(Local { address: address.into(), link })
        }
        _ => None,
    });
    Ok(Some((message.bytes, Ends { client, local })))
}

/// Sends a datagram to the client of a flow, from the address that the client sends to.
pub fn send(socket: &Socket, datagram: &[u8], Ends { client, local }: Ends) -> io::Result<()> {
    let client = SockaddrStorage::from(client);
    let slices = [IoSlice::new(datagram)];
    let send = |control: &[ControlMessage<'_>]| {
        sendmsg(socket.as_raw_fd(), &slices, control, MsgFlags::MSG_DONTWAIT, Some(&client))
    };
    match local {
        None => send(&[])?,
        Some(Local { address: IpAddr::V4(address), .. }) => {
            let address = libc::in_addr { s_addr: u32::from(address).to_be() };
            let info =
                libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: address, ipi_addr: libc::in_addr { s_addr: 0 } };
            send(&[ControlMessage::Ipv4PacketInfo(&info)])?
        }
        Some(Local { address: IpAddr::V6(address), link }) => {
            let address = libc::in6_addr { s6_addr: address.octets() };
            let info = libc::in6_pktinfo { ipi6_addr: address, ipi6_ifindex: link as _ };
            send(&[ControlMessage::Ipv6PacketInfo(&info)])?
        }
    };
    Ok(())
}

fn ip_of(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|address| SocketAddrV4::from(*address).into());
    v4.or_else(|| address.as_sockaddr_in6().map(|address| SocketAddrV6::from(*address).into()))
}
