//! UDP, as hickory asks for it.

use std::{
    io,
    net::SocketAddr,
    os::fd::OwnedFd,
    task::{Context, Poll, ready},
};

use hickory_net::runtime::DnsUdpSocket;
use tokio::{io::ReadBuf, net::UdpSocket};

use crate::{failure::refused, timer::Timer};

/// A socket of one question to one server.
pub struct Udp {
    socket: UdpSocket,
    server: SocketAddr,
}

impl Udp {
    /// Connected, so that the kernel tells when nobody listens there, drops what others send, and picks a random port of
    /// the namespace's range.
    pub fn connect(socket: OwnedFd, server: SocketAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::from(socket);
        socket.set_nonblocking(true)?;
        socket.connect(server).map_err(refused("connect"))?;
        Ok(Self { socket: UdpSocket::from_std(socket)?, server })
    }
}

impl DnsUdpSocket for Udp {
    type Time = Timer;

    fn poll_recv_from(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(self.socket.poll_recv(context, &mut buffer)).map_err(refused("recv"))?;
        Poll::Ready(Ok((buffer.filled().len(), self.server)))
    }

    fn poll_send_to(&self, context: &mut Context<'_>, buffer: &[u8], _server: SocketAddr) -> Poll<io::Result<usize>> {
        self.socket.poll_send(context, buffer).map_err(refused("send"))
    }
}
