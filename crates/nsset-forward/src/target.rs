//! Where a forwarding connects to.

use std::{future::Future, io, os::fd::OwnedFd, pin::Pin, rc::Rc};

use socket2::{SockAddr, Socket};
use tokio::io::unix::AsyncFd;

use crate::{async_socket::register, stream::Stream};

/// A future for a socket.
pub type SocketFuture = Pin<Box<dyn Future<Output = io::Result<OwnedFd>>>>;

/// Creates a socket in the network of the targets, with a domain and a type as in socket(2).
pub type MakeSocket = Rc<dyn Fn(i32, i32) -> SocketFuture>;

/// The addresses of a server, in the order in which they are tried.
#[derive(Clone)]
pub struct Target {
    addresses: Rc<[SockAddr]>,
    make: MakeSocket,
}

impl Target {
    pub fn new(addresses: impl Into<Rc<[SockAddr]>>, make: MakeSocket) -> Self {
        Self { addresses: addresses.into(), make }
    }

    /// Connects to the first address that accepts. Fails with the error of the last one.
    pub(crate) async fn connect(&self) -> io::Result<Stream> {
        let mut failure = none();
        for address in self.addresses.iter() {
            let connected = match (self.make)(i32::from(address.family()), libc::SOCK_STREAM).await {
                Ok(socket) => Stream::connect(socket, address).await,
                Err(error) => Err(error),
            };
            match connected {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Creates a datagram socket that sends to the first address.
    pub(crate) async fn datagrams(&self) -> io::Result<AsyncFd<Socket>> {
        let address = self.addresses.first().ok_or_else(none)?;
        let socket = Socket::from((self.make)(i32::from(address.family()), libc::SOCK_DGRAM).await?);
        socket.connect(address)?;
        register(socket)
    }
}

fn none() -> io::Error {
    io::Error::from(io::ErrorKind::AddrNotAvailable)
}
