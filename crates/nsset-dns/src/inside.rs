//! Where the sockets come from.

use std::{io, net::SocketAddr, os::fd::OwnedFd, sync::Arc};

use crate::{failure::Failure, tcp::Tcp, udp::Udp};

/// Makes the sockets of a resolver, as socket(2), where its servers are to be asked. A function does as well. It is
/// called by whoever polls the resolver, once for each server that is asked, and may take a moment: the queries wait
/// for it.
pub trait SocketMaker: Send + Sync + 'static {
    /// What it fails with ends the lookup, and comes back as [`Error::NotMade`](crate::Error::NotMade).
    fn make(&self, domain: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd>;
}

impl<F: Fn(i32, i32, i32) -> io::Result<OwnedFd> + Send + Sync + 'static> SocketMaker for F {
    fn make(&self, domain: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
        self(domain, kind, protocol)
    }
}

pub struct Inside(Box<dyn SocketMaker>);

impl Inside {
    pub fn new(maker: impl SocketMaker) -> Self {
        Self(Box::new(maker))
    }

    pub fn udp(&self, server: SocketAddr) -> Result<Udp, Failure> {
        Ok(Udp::connect(self.make(server, libc::SOCK_DGRAM)?, server)?)
    }

    pub async fn tcp(&self, server: SocketAddr) -> Result<Tcp, Failure> {
        Ok(Tcp::connect(self.make(server, libc::SOCK_STREAM)?, server).await?)
    }

    pub fn make(&self, destination: SocketAddr, kind: i32) -> Result<OwnedFd, Failure> {
        let domain = if destination.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        self.0.make(domain, kind, 0).map_err(|error| Failure::NotMade(Arc::new(error)))
    }
}
