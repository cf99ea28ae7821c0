//! UDP, as hickory asks for it.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    os::fd::OwnedFd,
    task::{Context, Poll, ready},
};

use async_trait::async_trait;
use hickory_net::runtime::DnsUdpSocket;
use tokio::io::{Interest, unix::AsyncFd};

use crate::{failure::refused, timer::Timer};

/// A socket of one question to one server.
pub struct Udp {
    socket: AsyncFd<UdpSocket>,
    server: SocketAddr,
}

impl Udp {
    /// Connected, so that the kernel tells when nobody listens there, drops what others send, and picks a random port
    /// of the namespace's range.
    pub fn connect(socket: OwnedFd, server: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::from(socket);
        socket.set_nonblocking(true).map_err(refused("fcntl"))?;
        socket.connect(server).map_err(refused("connect"))?;
        // SAFETY: it owns the descriptor, and always answers with the same one.
        let watched = unsafe { AsyncFd::register(socket) };
        let socket = watched.map_err(|error| refused("epoll_ctl")(error.into_parts().1))?;
        Ok(Self { socket, server })
    }
}

#[async_trait]
impl DnsUdpSocket for Udp {
    type Time = Timer;

    /// tokio's own sockets do not wake for an error alone, and that is how the kernel tells that nobody listens.
    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let received = self.socket.async_io(Interest::READABLE | Interest::ERROR, |socket| socket.recv(buffer));
        Ok((received.await.map_err(refused("recv"))?, self.server))
    }

    fn poll_recv_from(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        loop {
            let mut guard = ready!(self.socket.poll_read_ready(context))?;
            if let Ok(received) = guard.try_io(|socket| socket.get_ref().recv(buffer)) {
                return Poll::Ready(received.map(|length| (length, self.server)).map_err(refused("recv")));
            }
        }
    }

    fn poll_send_to(&self, context: &mut Context<'_>, buffer: &[u8], _to: SocketAddr) -> Poll<io::Result<usize>> {
        loop {
            let mut guard = ready!(self.socket.poll_write_ready(context))?;
            if let Ok(sent) = guard.try_io(|socket| socket.get_ref().send(buffer)) {
                return Poll::Ready(sent.map_err(refused("send")));
            }
        }
    }
}
