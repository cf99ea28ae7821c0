//! The sockets of one network, each opened inside on first use.

use std::{
    io,
    net::{SocketAddr, SocketAddrV6},
    os::fd::OwnedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use nsset::{Kind, NamespaceSet};
use nsset_dns::{Config, Resolver, SocketMaker};
use nsset_net::{Addresses, Links, Network, Qdiscs, Routes, WireGuards};
use tokio::sync::{Notify, OnceCell, futures::OwnedNotified};

use super::failure::Failure;

/// What names are resolved by: resolv.conf(5), hosts(5), and servers that are asked instead of those there.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    pub resolv_conf: String,
    pub hosts: String,
    pub servers: Vec<String>,
}

/// What is said of names, and, once somebody has asked for one, who resolves them by that.
#[derive(Default)]
struct Names {
    texts: Texts,
    /// How often it was said anew.
    configuration: u64,
    resolver: Option<Arc<Resolver>>,
}

/// The sockets of a set's network.
pub struct Sockets {
    set: NamespaceSet,
    network: OnceCell<Network>,
    wireguards: OnceCell<WireGuards>,
    names: Mutex<Names>,
    closing: Arc<Notify>,
}

impl Sockets {
    pub fn of(set: NamespaceSet) -> Self {
        Self {
            set,
            network: OnceCell::new(),
            wireguards: OnceCell::new(),
            names: Mutex::default(),
            closing: Arc::default(),
        }
    }

    /// To be called on the thread of networks, which goes inside to open the socket.
    pub async fn network(&self) -> Result<&Network, Failure> {
        self.network.get_or_try_init(|| async { Ok(Network::open(self.netlink(libc::NETLINK_ROUTE)?)?) }).await
    }

    pub async fn links(&self) -> Result<Links<'_>, Failure> {
        Ok(self.network().await?.links())
    }

    pub async fn addresses(&self) -> Result<Addresses<'_>, Failure> {
        Ok(self.network().await?.addresses())
    }

    pub async fn routes(&self) -> Result<Routes<'_>, Failure> {
        Ok(self.network().await?.routes())
    }

    pub async fn qdiscs(&self) -> Result<Qdiscs<'_>, Failure> {
        Ok(self.network().await?.qdiscs())
    }

    pub async fn wireguards(&self) -> Result<&WireGuards, Failure> {
        let open = || async { Ok(WireGuards::open(self.netlink(libc::NETLINK_GENERIC)?)?) };
        self.wireguards.get_or_try_init(open).await
    }

    /// Ends when `close` is called. Made before it is called, it does not miss that.
    pub fn closed(&self) -> OwnedNotified {
        Arc::clone(&self.closing).notified_owned()
    }

    /// Ends what waits for somebody else than the kernel.
    pub fn close(&self) {
        self.closing.notify_waiters();
    }

    /// What names are resolved by from now on.
    pub fn resolve_by(&self, texts: Texts) {
        let mut names = self.names();
        names.configuration += 1;
        names.resolver = None;
        names.texts = texts;
    }

    /// Who resolves names.
    pub async fn resolver(&self) -> Result<Arc<Resolver>, Failure> {
        let (texts, configuration) = {
            let names = self.names();
            if let Some(resolver) = &names.resolver {
                return Ok(Arc::clone(resolver));
            }
            (names.texts.clone(), names.configuration)
        };
        let resolver = Arc::new(Resolver::new(self.config(&texts).await?, self.maker()));
        let mut names = self.names();
        // Something else may have been said meanwhile.
        if names.configuration == configuration {
            names.resolver = Some(Arc::clone(&resolver));
        }
        Ok(resolver)
    }

    /// Links that servers name (`fe80::1%eth0`) are those inside.
    async fn config(&self, texts: &Texts) -> Result<Config, Failure> {
        let names_links = texts.resolv_conf.contains('%') || texts.servers.iter().any(|server| server.contains('%'));
        let links = if names_links { self.links().await?.list().await? } else { Vec::new() };
        let zone = |name: &str| links.iter().find(|link| link.name == name).map(|link| link.index);
        let mut config = Config::parse(&texts.resolv_conf, &texts.hosts, zone);
        if !texts.servers.is_empty() {
            let servers: nsset::Result<_> = texts.servers.iter().map(|server| parse_server(server, zone)).collect();
            config.servers = servers?;
        }
        Ok(config)
    }

    fn maker(&self) -> impl SocketMaker {
        let set = self.set.clone();
        move |domain, kind, protocol| {
            nsset::open_socket(&set, set.kinds(), domain, kind, protocol).map_err(|error| match error {
                nsset::Error::System(system) => io::Error::from_raw_os_error(system.errno as i32),
                other => io::Error::other(other),
            })
        }
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Any socket, made by the calling thread or by the helper.
    pub fn socket(&self, domain: i32, kind: i32, protocol: i32) -> nsset::Result<OwnedFd> {
        nsset::open_socket(&self.set, self.set.kinds(), domain, kind, protocol)
    }

    fn netlink(&self, protocol: i32) -> nsset::Result<OwnedFd> {
        self.socket(libc::AF_NETLINK, libc::SOCK_RAW, protocol)
    }

    /// `/dev/net/tun`, as it is inside.
    pub fn tun(&self) -> nsset::Result<OwnedFd> {
        nsset::open_tun(&self.set, self.set.kinds())
    }

    pub fn sysctl(&self, name: &str) -> nsset::Result<String> {
        nsset::sysctl::get(&self.set, self.set.kinds(), name)
    }

    pub fn set_sysctl(&self, name: &str, value: &str) -> nsset::Result<()> {
        nsset::sysctl::set(&self.set, self.set.kinds(), name, value)
    }

    /// The network namespace itself.
    pub fn namespace(&self) -> nsset::Result<&nsset::Namespace> {
        self.set.get(Kind::Net).map(AsRef::as_ref)
    }
}

/// `10.0.0.53:53`, `[fe80::1%eth0]:53`.
fn parse_server(text: &str, zone: impl Fn(&str) -> Option<u32>) -> nsset::Result<SocketAddr> {
    let unknown = || nsset::Error::InvalidArgument(format!("'{text}' is no server for names: there is no such link"));
    let Some((address, rest)) = text.split_once('%') else { return text.parse().map_err(|_| unknown()) };
    let (link, port) = rest.split_once("]:").ok_or_else(unknown)?;
    let index = link.parse().ok().or_else(|| zone(link)).ok_or_else(unknown)?;
    let address: SocketAddrV6 = format!("{address}]:{port}").parse().map_err(|_| unknown())?;
    Ok(SocketAddrV6::new(*address.ip(), address.port(), 0, index).into())
}
