//! The sockets of one network, each opened inside on first use.

use std::{
    io, mem,
    net::{SocketAddr, SocketAddrV6},
    os::fd::OwnedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use nsset::{Error, Kind, NamespaceSet};
use nsset_dns::{Config, OwnAddress, Resolver, SocketFuture, SocketMaker};
use nsset_net::{
    AddressChanges, Addresses, BridgeVlans, Conntrack, ForwardingEntries, Links, Neighbours, Network, Offloads, Qdiscs,
    Routes, Rules, SocketDiag, Watch, WatchedLists, WatchedPart, WatchedSource, Watcher, WireGuards,
    firewall::Firewall,
};
use serde::Serialize;
use tokio::sync::{Notify, OnceCell, futures::OwnedNotified};

use crate::{
    network::outcome::{self, PromisedResults},
    network_thread::{failure::Failure, thread, turns::Line, waiting},
};

/// The configuration of name resolution: resolv.conf(5), hosts(5), and servers that replace those in resolv.conf.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    pub resolv_conf: String,
    pub hosts: String,
    pub servers: Vec<String>,
}

/// The configuration of name resolution, and its resolver, which is created on first use.
#[derive(Default)]
struct Names {
    texts: Texts,
    /// How many times the configuration has been set.
    configuration: u64,
    resolver: Option<Arc<Resolver>>,
}

/// What receives the notifications of each source.
#[derive(Default)]
struct Watches {
    rtnetlink: Option<Arc<Watch>>,
    nfnetlink: Option<Arc<Watch>>,
}

impl Watches {
    fn of(&mut self, source: WatchedSource) -> &mut Option<Arc<Watch>> {
        match source {
            WatchedSource::Rtnetlink => &mut self.rtnetlink,
            WatchedSource::Nfnetlink => &mut self.nfnetlink,
        }
    }
}

/// Who waits for the kernel and for processes inside.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiter {
    /// Tasks of the thread of networks, which does other work meanwhile.
    Task,
    /// The calling thread, which blocks.
    Caller,
}

/// The sockets of a set's network.
pub struct Sockets {
    set: NamespaceSet,
    waiter: Waiter,
    /// The line of sockets and sysctls that wait for the helper.
    line: Line,
    /// The line of files that wait for the helper.
    line_of_files: Line,
    network: OnceCell<Network>,
    wireguards: OnceCell<WireGuards>,
    diag: OnceCell<SocketDiag>,
    offloads: OnceCell<Offloads>,
    firewall: OnceCell<Firewall>,
    names: Mutex<Names>,
    /// What receives notifications, while there are watchers.
    watches: Mutex<Watches>,
    closing: Arc<Notify>,
}

impl Sockets {
    /// Sockets for the thread of networks.
    pub fn of(set: NamespaceSet) -> Self {
        Self::for_waiter(set, Waiter::Task)
    }

    /// Returns sockets of the same network for which the calling thread waits: the futures of their methods are ready when they
    /// are first polled.
    pub fn blocking(&self) -> Self {
        Self::for_waiter(self.set.clone(), Waiter::Caller)
    }

    fn for_waiter(set: NamespaceSet, waiter: Waiter) -> Self {
        Self {
            set,
            waiter,
            line: Line::new(),
            line_of_files: Line::new(),
            network: OnceCell::new(),
            wireguards: OnceCell::new(),
            diag: OnceCell::new(),
            offloads: OnceCell::new(),
            firewall: OnceCell::new(),
            names: Mutex::default(),
            watches: Mutex::default(),
            closing: Arc::default(),
        }
    }

    /// Must be called on the thread that waits, which goes inside to open the socket.
    pub async fn network(&self) -> Result<&Network, Failure> {
        if let Some(network) = self.network.get() {
            return Ok(network);
        }
        let open = || async {
            let socket = self.netlink(libc::NETLINK_ROUTE).await?;
            Ok(match self.waiter {
                Waiter::Task => Network::open(socket)?,
                Waiter::Caller => Network::open_blocking(socket)?,
            })
        };
        Box::pin(self.together(self.network.get_or_try_init(open))).await
    }

    pub async fn links(&self) -> Result<Links<'_>, Failure> {
        Ok(self.network().await?.links())
    }

    pub async fn addresses(&self) -> Result<Addresses<'_>, Failure> {
        Ok(self.network().await?.addresses())
    }

    /// Opens a socket that the kernel tells when addresses change.
    pub async fn address_changes(&self) -> Result<AddressChanges, Failure> {
        let socket = self.netlink(libc::NETLINK_ROUTE).await?;
        Ok(match self.waiter {
            Waiter::Task => AddressChanges::open(socket)?,
            Waiter::Caller => AddressChanges::open_blocking(socket)?,
        })
    }

    pub async fn routes(&self) -> Result<Routes<'_>, Failure> {
        Ok(self.network().await?.routes())
    }

    pub async fn bridge_vlans(&self) -> Result<BridgeVlans<'_>, Failure> {
        Ok(self.network().await?.bridge_vlans())
    }

    pub async fn rules(&self) -> Result<Rules<'_>, Failure> {
        Ok(self.network().await?.rules())
    }

    pub async fn neighbours(&self) -> Result<Neighbours<'_>, Failure> {
        Ok(self.network().await?.neighbours())
    }

    pub async fn forwarding_entries(&self) -> Result<ForwardingEntries<'_>, Failure> {
        Ok(self.network().await?.forwarding_entries())
    }

    pub async fn qdiscs(&self) -> Result<Qdiscs<'_>, Failure> {
        Ok(self.network().await?.qdiscs())
    }

    pub async fn wireguards(&self) -> Result<&WireGuards, Failure> {
        if let Some(wireguards) = self.wireguards.get() {
            return Ok(wireguards);
        }
        let open = || async {
            let socket = self.netlink(libc::NETLINK_GENERIC).await?;
            Ok(match self.waiter {
                Waiter::Task => WireGuards::open(socket)?,
                Waiter::Caller => WireGuards::open_blocking(socket)?,
            })
        };
        Box::pin(self.together(self.wireguards.get_or_try_init(open))).await
    }

    /// Returns what lists the sockets inside.
    pub async fn diag(&self) -> Result<&SocketDiag, Failure> {
        if let Some(diag) = self.diag.get() {
            return Ok(diag);
        }
        let open = || async {
            let socket = self.netlink(libc::NETLINK_INET_DIAG).await?;
            Ok(match self.waiter {
                Waiter::Task => SocketDiag::open(socket)?,
                Waiter::Caller => SocketDiag::open_blocking(socket)?,
            })
        };
        Box::pin(self.together(self.diag.get_or_try_init(open))).await
    }

    pub async fn offloads(&self) -> Result<&Offloads, Failure> {
        if let Some(offloads) = self.offloads.get() {
            return Ok(offloads);
        }
        let open = || async {
            let socket = self.netlink(libc::NETLINK_GENERIC).await?;
            Ok(match self.waiter {
                Waiter::Task => Offloads::open(socket)?,
                Waiter::Caller => Offloads::open_blocking(socket)?,
            })
        };
        Box::pin(self.together(self.offloads.get_or_try_init(open))).await
    }

    pub async fn firewall(&self) -> Result<&Firewall, Failure> {
        if let Some(firewall) = self.firewall.get() {
            return Ok(firewall);
        }
        let open = || async {
            let socket = self.netlink(libc::NETLINK_NETFILTER).await?;
            Ok(match self.waiter {
                Waiter::Task => Firewall::open(socket)?,
                Waiter::Caller => Firewall::open_blocking(socket)?,
            })
        };
        Box::pin(self.together(self.firewall.get_or_try_init(open))).await
    }

    pub async fn conntrack(&self) -> Result<Conntrack, Failure> {
        Ok(Conntrack::of(self.firewall().await?))
    }

    /// Callers put the future into a box, because it is larger than those of most requests, and is needed once.
    async fn together<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        match self.waiter {
            Waiter::Task => waiting::together(work).await,
            Waiter::Caller => work.await,
        }
    }

    /// Returns a future that ends when `close` is called after this.
    pub fn closed(&self) -> OwnedNotified {
        Arc::clone(&self.closing).notified_owned()
    }

    /// Ends requests that wait for servers or for processes inside.
    pub fn close(&self) {
        self.closing.notify_waiters();
        let Watches { rtnetlink, nfnetlink } = mem::take(&mut *self.watches());
        for watch in [rtnetlink, nfnetlink].into_iter().flatten() {
            watch.end(Ok(()));
        }
    }

    /// Adds a watcher for each source of the parts. The first one opens a socket: the calling thread goes inside, or waits for the
    /// helper.
    pub fn watch(self: &Arc<Self>, parts: &[WatchedPart], wants_existing: bool) -> Result<Vec<Watcher>, Failure> {
        let mut watchers = Vec::new();
        for source in [WatchedSource::Rtnetlink, WatchedSource::Nfnetlink] {
            let parts: Vec<_> = parts.iter().copied().filter(|part| part.source() == source).collect();
            if !parts.is_empty() {
                watchers.push(self.watch_source(source, &parts, wants_existing)?);
            }
        }
        Ok(watchers)
    }

    fn watch_source(
        self: &Arc<Self>,
        source: WatchedSource,
        parts: &[WatchedPart],
        wants_existing: bool,
    ) -> Result<Watcher, Failure> {
        let mut all = self.watches();
        let slot = all.of(source);
        if let Some(watch) = slot
            && let Some(watcher) = watch.add(parts, wants_existing)?
        {
            return Ok(watcher);
        }
        let protocol = match source {
            WatchedSource::Rtnetlink => libc::NETLINK_ROUTE,
            WatchedSource::Nfnetlink => libc::NETLINK_NETFILTER,
        };
        let watch = Watch::open(self.socket(libc::AF_NETLINK, libc::SOCK_RAW, protocol)?)?;
        let watcher = watch.add(parts, wants_existing)?.ok_or(Error::Closed)?;
        let sockets = Arc::clone(self);
        *slot = Some(Arc::clone(&watch));
        thread::run(move || async move { sockets.serve(source, &watch).await })?;
        Ok(watcher)
    }

    /// Receives notifications until there are no watchers.
    async fn serve(&self, source: WatchedSource, watch: &Arc<Watch>) {
        let lists = match source {
            WatchedSource::Rtnetlink => self.network().await.map(WatchedLists::Rtnetlink),
            WatchedSource::Nfnetlink => self.firewall().await.map(WatchedLists::Nfnetlink),
        };
        match lists {
            Ok(lists) => watch.run(lists).await,
            Err(failure) => watch.end(Err(failure.into_network_error())),
        }
        self.watches().of(source).take_if(|current| Arc::ptr_eq(current, watch));
    }

    fn watches(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the configuration of name resolution.
    pub fn resolve_by(&self, texts: Texts) {
        let mut names = self.names();
        names.configuration += 1;
        names.resolver = None;
        names.texts = texts;
    }

    /// Returns the resolver of the current configuration.
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
        // The configuration may have been set again in the meantime.
        if names.configuration == configuration {
            names.resolver = Some(Arc::clone(&resolver));
        }
        Ok(resolver)
    }

    /// Parses the configuration. Links in the addresses of servers (`fe80::1%eth0`) are links inside.
    async fn config(&self, texts: &Texts) -> Result<Config, Failure> {
        let names_links = texts.resolv_conf.contains('%') || texts.servers.iter().any(|server| server.contains('%'));
        let links = if names_links { self.links().await?.list().await? } else { Vec::new() };
        let zone = |name: &str| links.iter().find(|link| link.is_called(name)).map(|link| link.index);
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

    /// Returns the domain of the host name, if the set does not have its own. This thread is outside, so it sees the caller's
    /// name.
    fn domain(&self) -> Option<String> {
        if self.set.kinds().contains(Kind::Uts) {
            return None;
        }
        let name = nix::unistd::gethostname().ok()?.into_string().ok()?;
        name.split_once('.').map(|(_, domain)| domain.to_owned())
    }

    /// Returns the addresses of the links inside.
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

    /// Creates a socket inside. The calling thread goes inside, or waits for the helper.
    pub fn socket(&self, domain: i32, kind: i32, protocol: i32) -> nsset::Result<OwnedFd> {
        nsset::open_socket(&self.set, self.set.kinds(), domain, kind, protocol)
    }

    /// Creates a socket inside, for the thread of networks, which must not wait for a helper.
    pub async fn socket_inside(&self, domain: i32, kind: i32, protocol: i32) -> nsset::Result<OwnedFd> {
        self.go_inside(move |set| nsset::open_socket(set, set.kinds(), domain, kind, protocol)).await
    }

    async fn netlink(&self, protocol: i32) -> nsset::Result<OwnedFd> {
        self.socket_inside(libc::AF_NETLINK, libc::SOCK_RAW, protocol).await
    }

    /// Opens `/dev/net/tun` inside.
    pub async fn tun(&self) -> nsset::Result<OwnedFd> {
        self.go_inside(|set| nsset::open_tun(set, set.kinds())).await
    }

    /// Returns the value of a sysctl as JSON.
    pub async fn sysctl(&self, name: String, last: Option<PromisedResults>) -> nsset::Result<String> {
        self.answer_from_inside(move |set| nsset::sysctl::get(set, set.kinds(), &name), last).await
    }

    pub async fn set_sysctl(
        &self,
        name: String,
        value: String,
        last: Option<PromisedResults>,
    ) -> nsset::Result<String> {
        self.answer_from_inside(move |set| nsset::sysctl::set(set, set.kinds(), &name, &value), last).await
    }

    /// Runs the last operation of a request so that the thread that does the work also settles the promise. Waking the thread of
    /// networks first would add a tenth to the time.
    async fn answer_from_inside<T: Serialize>(
        &self,
        work: impl FnOnce(&NamespaceSet) -> nsset::Result<T> + Send + 'static,
        last: Option<PromisedResults>,
    ) -> nsset::Result<String> {
        let answer = move |set: &NamespaceSet| {
            let result = outcome::json(&work(set)?)?;
            if let Some(results) = last {
                results.end_with(&result);
            }
            Ok(result)
        };
        self.go_inside(answer).await
    }

    /// Reads files in a line of their own: processes inside may make this take long.
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
        match self.waiter {
            Waiter::Task => go_inside(&self.set, self.line, work).await,
            Waiter::Caller => work(&self.set),
        }
    }

    /// Whether paths of the set lead to the files that the calling thread sees.
    pub fn sees_files_of_caller(&self) -> bool {
        self.set.find(Kind::Mnt).is_none() || nsset::sees_files_of(&self.set)
    }

    /// Returns the network namespace.
    pub fn namespace(&self) -> nsset::Result<&nsset::Namespace> {
        self.set.get(Kind::Net).map(AsRef::as_ref)
    }
}

/// Runs work that goes inside: on this thread if it can go inside itself, or else on a thread where it blocks only work on this
/// set.
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

/// Creates the resolver's sockets inside.
struct Maker {
    set: NamespaceSet,
    line: Line,
}

impl SocketMaker for Maker {
    fn make(&self, domain: i32, kind: i32, protocol: i32) -> SocketFuture {
        let (set, line) = (self.set.clone(), self.line);
        Box::pin(async move {
            let open = move |set: &NamespaceSet| nsset::open_socket(set, set.kinds(), domain, kind, protocol);
            go_inside(&set, line, open).await.map_err(to_io)
        })
    }
}

/// Converts an error for a crate that only needs its number.
pub fn to_io(error: Error) -> io::Error {
    match error {
        Error::System(system) => io::Error::from_raw_os_error(system.errno as i32),
        other => io::Error::other(other),
    }
}

/// Parses the address of a server: `10.0.0.53:53`, `[fe80::1%eth0]:53`.
fn parse_server(text: &str, zone: impl Fn(&str) -> Option<u32>) -> nsset::Result<SocketAddr> {
    let unknown = || nsset::Error::InvalidArgument(format!("the server '{text}' names a link that does not exist"));
    let Some((address, rest)) = text.split_once('%') else { return text.parse().map_err(|_| unknown()) };
    let (link, port) = rest.split_once("]:").ok_or_else(unknown)?;
    let index = link.parse().ok().or_else(|| zone(link)).ok_or_else(unknown)?;
    let address: SocketAddrV6 = format!("{address}]:{port}").parse().map_err(|_| unknown())?;
    Ok(SocketAddrV6::new(*address.ip(), address.port(), 0, index).into())
}
