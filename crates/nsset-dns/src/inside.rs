//! Where the sockets come from.

use std::{
    future::{Future, ready},
    io,
    net::SocketAddr,
    os::fd::OwnedFd,
    pin::Pin,
    sync::Arc,
};

use crate::{failure::Failure, wire::tcp::Tcp, wire::udp::Udp};

/// A socket that is being made.
pub type SocketFuture = Pin<Box<dyn Future<Output = io::Result<OwnedFd>> + Send>>;

/// Makes the sockets of a resolver, as socket(2), where its servers are to be asked: one for each server that is asked, which
/// waits for it. A function that does so at once does as well.
pub trait SocketMaker: Send + Sync + 'static {
    /// What it fails with ends the lookup, and comes back as [`Error::NotMade`](crate::Error::NotMade).
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
        self.0.make(domain, kind, 0).await.map_err(|error| Failure::NotMade(Arc::new(error)))
    }
}
