//! Where the sockets come from.

use std::{
    future::{Future, ready},
    io,
    net::SocketAddr,
    os::fd::OwnedFd,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use hickory_net::runtime::{RuntimeProvider, Spawn};

use crate::{failure::not_made, tcp::Tcp, timer::Timer, udp::Udp};

/// A socket that is being made.
pub type SocketFuture = Pin<Box<dyn Future<Output = io::Result<OwnedFd>> + Send>>;

/// Makes the sockets of a resolver, as socket(2), where its servers are to be asked: one for each question, which waits
/// for it. A function that does so at once does as well.
pub trait SocketMaker: Send + Sync + 'static {
    /// What it fails with ends the lookup, and comes back as [`Error::NotMade`](crate::Error::NotMade).
    fn make(&self, domain: i32, kind: i32, protocol: i32) -> SocketFuture;
}

impl<F: Fn(i32, i32, i32) -> io::Result<OwnedFd> + Send + Sync + 'static> SocketMaker for F {
    fn make(&self, domain: i32, kind: i32, protocol: i32) -> SocketFuture {
        Box::pin(ready(self(domain, kind, protocol)))
    }
}

/// What hickory needs of its surroundings: sockets and time, and no tasks.
#[derive(Clone)]
pub struct Inside(Arc<dyn SocketMaker>);

impl Inside {
    pub fn new(maker: impl SocketMaker) -> Self {
        Self(Arc::new(maker))
    }

    async fn make(&self, server: SocketAddr, kind: i32) -> io::Result<OwnedFd> {
        let domain = if server.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        self.0.make(domain, kind, 0).await.map_err(not_made)
    }
}

impl RuntimeProvider for Inside {
    type Handle = NoTasks;
    type Timer = Timer;
    type Udp = Udp;
    type Tcp = Tcp;

    fn create_handle(&self) -> NoTasks {
        NoTasks
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        _local: Option<SocketAddr>,
        _timeout: Option<Duration>,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Tcp>>>> {
        let inside = self.clone();
        Box::pin(async move { Tcp::connect(inside.make(server, libc::SOCK_STREAM).await?, server).await })
    }

    fn bind_udp(
        &self,
        _local: SocketAddr,
        server: SocketAddr,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Udp>>>> {
        let inside = self.clone();
        Box::pin(async move { Udp::connect(inside.make(server, libc::SOCK_DGRAM).await?, server) })
    }
}

/// Everything is done by the future of a lookup itself, so that nothing is left of it when it is dropped.
#[derive(Clone)]
pub struct NoTasks;

impl Spawn for NoTasks {
    fn spawn_bg(&mut self, _future: impl Future<Output = ()> + Send + 'static) {
        unreachable!("only hickory's own exchanges start tasks, and none is used")
    }
}
