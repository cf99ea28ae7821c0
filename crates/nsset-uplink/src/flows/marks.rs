//! The traffic class of what a socket of the host sends and receives (`IP_TOS` in ip(7), `IPV6_TCLASS` in ipv6(7)).

use std::{
    io::{self, IoSliceMut},
    os::fd::AsRawFd,
};

use nix::{
    cmsg_space,
    sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg},
};
use socket2::{Domain, Socket};

use crate::packets::traffic_class::TrafficClass;

/// Makes it the class of what the socket sends from now on.
pub fn set(socket: &Socket, TrafficClass(class): TrafficClass) -> io::Result<()> {
    match socket.domain()? {
        Domain::IPV4 => socket.set_tos_v4(class.into()),
        _ => socket.set_tclass_v6(class.into()),
    }
}

/// Makes the kernel report the class of each datagram.
pub fn request(socket: &Socket) -> io::Result<()> {
    match socket.domain()? {
        Domain::IPV4 => socket.set_recv_tos_v4(true),
        _ => socket.set_recv_tclass_v6(true),
    }
}

/// Receives a datagram, and returns its length and its class.
pub fn receive(socket: &Socket, room: &mut [u8]) -> io::Result<(usize, TrafficClass)> {
    let mut control = cmsg_space!(libc::c_int);
    let mut slices = [IoSliceMut::new(room)];
    let flags = MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(&mut control), flags)?;
    let class = message.cmsgs()?.find_map(|message| match message {
        ControlMessageOwned::Ipv4Tos(class) => Some(class),
        ControlMessageOwned::Ipv6TClass(class) => u8::try_from(class).ok(),
        _ => None,
    });
    Ok((message.bytes, TrafficClass(class.unwrap_or_default())))
}
