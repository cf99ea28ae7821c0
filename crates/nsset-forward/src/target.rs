//! Where a forwarding connects to.

use std::{
    future::Future,
    io,
    os::fd::{AsRawFd, OwnedFd},
    pin::Pin,
    rc::Rc,
};

use socket2::{SockAddr, Socket};
use tokio::io::unix::AsyncFd;

use crate::{async_socket::register, stream::Stream};

/// A future for a socket, or for the file of one.
pub type SocketFuture = Pin<Box<dyn Future<Output = io::Result<OwnedFd>>>>;

/// Creates a socket in the network of the targets, with a domain and a type as in socket(2).
pub type MakeSocket = Rc<dyn Fn(i32, i32) -> SocketFuture>;

/// Finds the file of a unix socket, as an `O_PATH` descriptor. Called before each attempt to connect: the server may have made
/// its file anew.
pub type FindFile = Rc<dyn Fn() -> SocketFuture>;

/// An address of a server.
#[derive(Clone)]
pub enum Address {
    Socket(SockAddr),
    /// A path that the calling thread does not see.
    File(FindFile),
}

/// The addresses of a server, in the order in which they are tried.
#[derive(Clone)]
pub struct Target {
    addresses: Rc<[Address]>,
    make: MakeSocket,
}

impl Address {
    /// Returns the address for connect(2), which holds while the file is held.
    async fn find(&self) -> io::Result<(Option<OwnedFd>, SockAddr)> {
        match self {
            Self::Socket(address) => Ok((None, address.clone())),
            Self::File(find) => {
                let file = find().await?;
                let address = SockAddr::unix(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
                Ok((Some(file), address))
            }
        }
    }
}

impl From<SockAddr> for Address {
    fn from(address: SockAddr) -> Self {
        Self::Socket(address)
    }
}

impl Target {
    pub fn new(addresses: impl Into<Rc<[Address]>>, make: MakeSocket) -> Self {
        Self { addresses: addresses.into(), make }
    }

    /// Connects to the first address that accepts. Fails with the error of the last one.
    pub(crate) async fn connect(&self) -> io::Result<Stream> {
        let mut failure = none();
        for address in self.addresses.iter() {
            match self.connect_to(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn connect_to(&self, address: &Address) -> io::Result<Stream> {
        // The file is held until the socket is connected to it.
        let (_file, address) = address.find().await?;
        Stream::connect((self.make)(i32::from(address.family()), libc::SOCK_STREAM).await?, &address).await
    }

    /// Creates a datagram socket that sends to the first address.
    pub(crate) async fn datagrams(&self) -> io::Result<AsyncFd<Socket>> {
        let (_file, address) = self.addresses.first().ok_or_else(none)?.find().await?;
        let socket = Socket::from((self.make)(i32::from(address.family()), libc::SOCK_DGRAM).await?);
        socket.connect(&address)?;
        register(socket)
    }
}

fn none() -> io::Error {
    io::Error::from(io::ErrorKind::AddrNotAvailable)
}
