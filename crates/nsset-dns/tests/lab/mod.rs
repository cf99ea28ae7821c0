//! Creates a network for each test, with servers that send the answers of the test. For an ordinary user it belongs to a user
//! namespace.
#![allow(dead_code, unused_imports)] // no test uses all of it

mod server;

use std::{
    io,
    net::SocketAddr,
    os::fd::{AsRawFd, OwnedFd},
    time::Duration,
};

use nix::sys::socket::{SockaddrStorage, bind};
use nsset::{Kind, Kinds, MapUser, NamespaceSet, UnshareOptions, open_socket, unshare};
use nsset_dns::{Config, Resolver};

pub use self::server::{Query, Reply, Server, Transport, a, aaaa, cname};

pub struct Host {
    pub set: NamespaceSet,
}

/// Creates a network that has only loopback.
pub fn host() -> Host {
    if !nix::unistd::geteuid().is_root() {
        return host_of_user();
    }
    Host { set: network(None, true) }
}

/// Like `host`, in a new user namespace.
pub fn host_of_user() -> Host {
    let options = UnshareOptions { map_user: Some(MapUser::Root), ..UnshareOptions::default() };
    let user = unshare(None, Kinds::NONE.with(Kind::User), &options, None).unwrap();
    Host { set: network(Some(&user), true) }
}

/// Creates a network in which loopback is down.
pub fn dark_host() -> Host {
    let user = (!nix::unistd::geteuid().is_root()).then(|| host_of_user().set);
    Host { set: network(user.as_ref(), false) }
}

fn network(base: Option<&NamespaceSet>, loopback: bool) -> NamespaceSet {
    let options = UnshareOptions { loopback, ..UnshareOptions::default() };
    unshare(base, Kinds::NONE.with(Kind::Net), &options, None).unwrap()
}

impl Host {
    /// Returns a function that creates sockets inside.
    pub fn sockets(&self) -> impl Fn(i32, i32, i32) -> io::Result<OwnedFd> + Send + Sync + use<> {
        let set = self.set.clone();
        move |domain, kind, protocol| open_socket(&set, set.kinds(), domain, kind, protocol).map_err(io::Error::other)
    }

    pub fn bound(&self, address: SocketAddr, kind: i32) -> OwnedFd {
        let domain = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        let socket = open_socket(&self.set, self.set.kinds(), domain, kind, 0).unwrap();
        bind(socket.as_raw_fd(), &SockaddrStorage::from(address)).unwrap();
        socket
    }

    /// Starts a server inside.
    pub fn serve(&self, address: &str, reply: impl Fn(&Query) -> Reply + Send + Sync + 'static) -> Server {
        Server::start(self, address.parse().unwrap(), reply)
    }

    pub fn resolver(&self, config: Config) -> Resolver {
        Resolver::new(config, self.sockets())
    }
}

/// Returns a configuration with these servers and short time limits.
pub fn config(servers: &[&str]) -> Config {
    let servers = servers.iter().map(|server| server.parse().unwrap()).collect();
    Config { servers, timeout: Duration::from_millis(500), ..Config::default() }
}
