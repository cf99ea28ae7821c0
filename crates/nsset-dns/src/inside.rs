//! Creates the sockets of a resolver.

use std::{
    future::{Future, ready},
    io,
    net::SocketAddr,
    os::fd::OwnedFd,
    pin::Pin,
    sync::Arc,
};

use crate::{failure::Failure, wire::tcp::Tcp, wire::udp::Udp};

/// A future for a socket.
pub type SocketFuture = Pin<Box<dyn Future<Output = io::Result<OwnedFd>> + Send>>;

/// Creates the sockets of a resolver, like socket(2), in the network of its servers. The resolver needs one for each server that
/// it queries, and waits for it. A synchronous function also implements this.
pub trait SocketMaker: Send + Sync + 'static {
    /// Creates a socket. An error ends the lookup, which returns it in [`Error::NoSocket`](crate::Error::NoSocket).
    fn make(&self, domain: i32, kind: i32, protocol: i32) -> SocketFuture;
}

impl<F: Fn(i32, i32, i32) -> io::Result<OwnedFd> + Send + Sync + 'static> SocketMaker for F {
    fn make(&self, domain: i32, kind: i32, protocol: i32) -> SocketFuture {
        Box::pin(ready(self(domain, kind, protocol)))
    }
}

pub struct Inside(Box<dyn SocketMaker>);

impl Inside {
    pub fn new(maker: impl SocketMaker) -> Self {
        Self(Box::new(maker))
    }

    pub async fn udp(&self, server: SocketAddr) -> Result<Udp, Failure> {
        Ok(Udp::connect(self.make(server, libc::SOCK_DGRAM).await?, server)?)
    }

    pub async fn tcp(&self, server: SocketAddr) -> Result<Tcp, Failure> {
        Ok(Tcp::connect(self.make(server, libc::SOCK_STREAM).await?, server).await?)
    }

    pub async fn make(&self, destination: SocketAddr, kind: i32) -> Result<OwnedFd, Failure> {
        let domain = if destination.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        self.0.make(domain, kind, 0).await.map_err(|error| Failure::NoSocket(Arc::new(error)))
    }
}
