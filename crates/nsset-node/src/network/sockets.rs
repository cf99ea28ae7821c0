//! The sockets of one network, each opened inside on first use.

use std::{
    io,
    net::{SocketAddr, SocketAddrV6},
    os::fd::OwnedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use nsset::{Error, Kind, NamespaceSet};
use nsset_dns::{Config, OwnAddress, Resolver, SocketFuture, SocketMaker};
use nsset_net::{Addresses, Links, Network, Qdiscs, Routes, WireGuards};
use serde::Serialize;
use tokio::sync::{Notify, OnceCell, futures::OwnedNotified};

use crate::{
    network::outcome::{self, Results},
    network_thread::{failure::Failure, turns::Line, waiting},
};

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
    /// Where sockets and sysctls wait for the helper, and where files do.
    line: Line,
    line_of_files: Line,
    network: OnceCell<Network>,
    wireguards: OnceCell<WireGuards>,
    names: Mutex<Names>,
    closing: Arc<Notify>,
}

impl Sockets {
    pub fn of(set: NamespaceSet) -> Self {
        Self {
            set,
            line: Line::new(),
            line_of_files: Line::new(),
            network: OnceCell::new(),
            wireguards: OnceCell::new(),
            names: Mutex::default(),
            closing: Arc::default(),
        }
    }

    /// To be called on the thread of networks, which goes inside to open the socket.
    pub async fn network(&self) -> Result<&Network, Failure> {
        if let Some(network) = self.network.get() {
            return Ok(network);
        }
        let open = || async { Ok(Network::open(self.netlink(libc::NETLINK_ROUTE).await?)?) };
        waiting::together(self.network.get_or_try_init(open)).await
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
        if let Some(wireguards) = self.wireguards.get() {
            return Ok(wireguards);
        }
        let open = || async { Ok(WireGuards::open(self.netlink(libc::NETLINK_GENERIC).await?)?) };
        waiting::together(self.wireguards.get_or_try_init(open)).await
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
        if config.search.is_empty() {
            config.search.extend(self.domain());
        }
        if !texts.servers.is_empty() {
            let servers: nsset::Result<_> = texts.servers.iter().map(|server| parse_server(server, zone)).collect();
            config.servers = servers?;
        }
        Ok(config)
    }

    /// The domain of the host's own name, where that is the caller's: this thread is at home.
    fn domain(&self) -> Option<String> {
        if self.set.kinds().contains(Kind::Uts) {
            return None;
        }
        let name = nix::unistd::gethostname().ok()?.into_string().ok()?;
        name.split_once('.').map(|(_, domain)| domain.to_owned())
    }

    /// The addresses of the links inside.
    pub async fn own_addresses(&self) -> Result<Vec<OwnAddress>, Failure> {
        let addresses = self.addresses().await?.list(None).await?;
        let own = |address: nsset_net::Address| OwnAddress {
            address: address.cidr.addr(),
            prefix: address.cidr.prefix_len(),
            deprecated: address.deprecated,
        };
        Ok(addresses.into_iter().map(own).collect())
    }

    fn maker(&self) -> impl SocketMaker {
        Maker { set: self.set.clone(), line: self.line }
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Any socket, made by the calling thread, or by the helper, which the thread waits for.
    pub fn socket(&self, domain: i32, kind: i32, protocol: i32) -> nsset::Result<OwnedFd> {
        nsset::open_socket(&self.set, self.set.kinds(), domain, kind, protocol)
    }

    /// Any socket, for the thread of networks, which waits for no helper.
    pub async fn socket_inside(&self, domain: i32, kind: i32, protocol: i32) -> nsset::Result<OwnedFd> {
        self.go_inside(move |set| nsset::open_socket(set, set.kinds(), domain, kind, protocol)).await
    }

    async fn netlink(&self, protocol: i32) -> nsset::Result<OwnedFd> {
        self.socket_inside(libc::AF_NETLINK, libc::SOCK_RAW, protocol).await
    }

    /// `/dev/net/tun`, as it is inside.
    pub async fn tun(&self) -> nsset::Result<OwnedFd> {
        self.go_inside(|set| nsset::open_tun(set, set.kinds())).await
    }

    /// As JSON.
    pub async fn sysctl(&self, name: String, last: Option<Results>) -> nsset::Result<String> {
        self.tell_from_inside(move |set| nsset::sysctl::get(set, set.kinds(), &name), last).await
    }

    pub async fn set_sysctl(&self, name: String, value: String, last: Option<Results>) -> nsset::Result<String> {
        self.tell_from_inside(move |set| nsset::sysctl::set(set, set.kinds(), &name, &value), last).await
    }

    /// Has the thread that did the work end the request, where nothing is left to be done: to wake the thread of networks first would
    /// take a tenth of the time.
    async fn tell_from_inside<T: Serialize>(
        &self,
        work: impl FnOnce(&NamespaceSet) -> nsset::Result<T> + Send + 'static,
        last: Option<Results>,
    ) -> nsset::Result<String> {
        let tell = move |set: &NamespaceSet| {
            let result = outcome::json(&work(set)?)?;
            if let Some(results) = last {
                results.end_with(&result);
            }
            Ok(result)
        };
        self.go_inside(tell).await
    }

    /// Reads files, where nothing else waits for it: those inside may have that take long.
    pub async fn read_files<T: Send + 'static>(
        &self,
        work: impl FnOnce(&NamespaceSet) -> nsset::Result<T> + Send + 'static,
    ) -> nsset::Result<T> {
        let set = self.set.clone();
        waiting::run(self.line_of_files, move || work(&set)).await
    }

    async fn go_inside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&NamespaceSet) -> nsset::Result<T> + Send + 'static,
    ) -> nsset::Result<T> {
        go_inside(&self.set, self.line, work).await
    }

    /// The network namespace itself.
    pub fn namespace(&self) -> nsset::Result<&nsset::Namespace> {
        self.set.get(Kind::Net).map(AsRef::as_ref)
    }
}

/// Does what goes into a network: at once where this thread can go there itself, and else where only this set waits for it.
async fn go_inside<T: Send + 'static>(
    set: &NamespaceSet,
    line: Line,
    work: impl FnOnce(&NamespaceSet) -> nsset::Result<T> + Send + 'static,
) -> nsset::Result<T> {
    if !nsset::takes_helper(set, set.kinds()) {
        return work(set);
    }
    let set = set.clone();
    waiting::run(line, move || work(&set)).await
}

/// Makes the sockets that names are asked for over.
struct Maker {
    set: NamespaceSet,
    line: Line,
}

impl SocketMaker for Maker {
    fn make(&self, domain: i32, kind: i32, protocol: i32) -> SocketFuture {
        let (set, line) = (self.set.clone(), self.line);
        Box::pin(async move {
            let open = move |set: &NamespaceSet| nsset::open_socket(set, set.kinds(), domain, kind, protocol);
            go_inside(&set, line, open).await.map_err(|error| match error {
                Error::System(system) => io::Error::from_raw_os_error(system.errno as i32),
                other => io::Error::other(other),
            })
        })
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
