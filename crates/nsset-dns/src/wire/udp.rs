//! A UDP socket for datagrams to and from one server.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    os::fd::OwnedFd,
};

use tokio::io::{Interest, unix::AsyncFd};

use crate::failure::SocketError;

/// The buffer for an answer: some servers send more than the query allows.
const LONGEST: usize = 65_535;

pub struct Udp(AsyncFd<UdpSocket>);

impl Udp {
    /// Connects the socket, so that the kernel reports a port without a listener, drops datagrams of other hosts, and chooses a
    /// random port of the namespace's range.
    pub fn connect(socket: OwnedFd, server: SocketAddr) -> Result<Self, SocketError> {
        let socket = UdpSocket::from(socket);
        socket.set_nonblocking(true).map_err(SocketError::of("fcntl"))?;
        socket.connect(server).map_err(SocketError::of("connect"))?;
        // SAFETY: the socket owns the descriptor, and always returns the same one.
        let watched = unsafe { AsyncFd::register(socket) };
        watched.map(Self).map_err(|error| SocketError::of("epoll_ctl")(error.into_parts().1))
    }

    pub async fn send(&self, message: &[u8]) -> Result<(), SocketError> {
        let sent = self.0.async_io(Interest::WRITABLE, |socket| socket.send(message)).await;
        sent.map(drop).map_err(SocketError::of("send"))
    }

    /// Receives a datagram. This does not use tokio's sockets, which do not wake up for an error alone: the kernel reports a port
    /// without a listener as such an error.
    pub async fn receive(&self) -> Result<Vec<u8>, SocketError> {
        let received = self.0.async_io(Interest::READABLE | Interest::ERROR, receive_now).await;
        received.map_err(SocketError::of("recv"))
    }
}

/// Receives a waiting datagram. The buffer is allocated here, so that a waiting lookup does not need it.
fn receive_now(socket: &UdpSocket) -> io::Result<Vec<u8>> {
    let mut room = vec![0; LONGEST];
    let length = socket.recv(&mut room)?;
    room.truncate(length);
    room.shrink_to_fit();
    Ok(room)
}
