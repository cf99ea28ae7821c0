//! A TCP connection to one server.

use std::{net::SocketAddr, os::fd::OwnedFd};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::failure::SocketError;

pub struct Tcp(TcpStream);

impl Tcp {
    pub async fn connect(socket: OwnedFd, server: SocketAddr) -> Result<Self, SocketError> {
        let socket = std::net::TcpStream::from(socket);
        socket.set_nonblocking(true).map_err(SocketError::of("fcntl"))?;
        let stream = TcpSocket::from_std_stream(socket).connect(server).await.map_err(SocketError::of("connect"))?;
        stream.set_nodelay(true).map_err(SocketError::of("setsockopt"))?;
        Ok(Self(stream))
    }

    pub async fn send(&mut self, messages: &[u8]) -> Result<(), SocketError> {
        self.0.write_all(messages).await.map_err(SocketError::of("write"))
    }

    /// Receives one message. It is an error if the connection ends before.
    pub async fn receive(&mut self) -> Result<Vec<u8>, SocketError> {
        let length = self.0.read_u16().await.map_err(SocketError::of("read"))?;
        let mut message = vec![0; length.into()];
        self.0.read_exact(&mut message).await.map_err(SocketError::of("read"))?;
        Ok(message)
    }
}
