//! Datagrams to one server, and from it.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    os::fd::OwnedFd,
};

use tokio::io::{Interest, unix::AsyncFd};

use crate::failure::SocketError;

/// What an answer may have: some servers send more than they were allowed.
const LONGEST: usize = 65_535;

pub struct Udp(AsyncFd<UdpSocket>);

impl Udp {
    /// Connected, so that the kernel reports a port without a listener, drops datagrams of other hosts, and picks a random port
    /// of the namespace's range.
    pub fn connect(socket: OwnedFd, server: SocketAddr) -> Result<Self, SocketError> {
        let socket = UdpSocket::from(socket);
        socket.set_nonblocking(true).map_err(SocketError::of("fcntl"))?;
        socket.connect(server).map_err(SocketError::of("connect"))?;
        // SAFETY: it owns the descriptor, and always answers with the same one.
        let watched = unsafe { AsyncFd::register(socket) };
        watched.map(Self).map_err(|error| SocketError::of("epoll_ctl")(error.into_parts().1))
    }

    pub async fn send(&self, message: &[u8]) -> Result<(), SocketError> {
        let sent = self.0.async_io(Interest::WRITABLE, |socket| socket.send(message)).await;
        sent.map(drop).map_err(SocketError::of("send"))
    }

    /// tokio's own sockets do not wake for an error alone, and that is how the kernel reports that no program listens.
    pub async fn receive(&self) -> Result<Vec<u8>, SocketError> {
        let received = self.0.async_io(Interest::READABLE | Interest::ERROR, receive_now).await;
        received.map_err(SocketError::of("recv"))
    }
}

/// Room is made when there is something, and not for as long as nothing comes.
fn receive_now(socket: &UdpSocket) -> io::Result<Vec<u8>> {
    let mut room = vec![0; LONGEST];
    let length = socket.recv(&mut room)?;
    room.truncate(length);
    room.shrink_to_fit();
    Ok(room)
}
