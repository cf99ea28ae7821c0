//! The resolver.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::atomic::AtomicUsize,
    time::Duration,
};

use hickory_proto::rr::RecordType;
use tokio::time::timeout;

use crate::{
    config::{Config, local_server},
    error::{Error, Result},
    exchange::Exchange,
    failure::Failure,
    family::{Family, Wanted, mapped},
    host_name::HostName,
    inside::{Inside, SocketMaker},
    numeric,
    order::{self, OwnAddress},
    search::{Miss, Search},
};

/// The time limit of a lookup. It does not depend on the configuration, which another user may have written.
const LONGEST: Duration = Duration::from_secs(120);

/// Resolves names with a configuration and the sockets of a [`SocketMaker`]. It does not cache answers.
pub struct Resolver {
    config: Config,
    inside: Inside,
    /// The index of the first server of the next lookup, with `rotate`.
    turn: AtomicUsize,
}

impl Resolver {
    pub fn new(mut config: Config, maker: impl SocketMaker) -> Self {
        if config.servers.is_empty() {
            config.servers = vec![local_server()];
        }
        Self { config, inside: Inside::new(maker), turn: AtomicUsize::new(0) }
    }

    /// Returns the addresses of a host, at least one, like getaddrinfo(3) of glibc. They are in the order of the answers;
    /// [`Resolver::sort`] sorts them like getaddrinfo(3).
    ///
    /// In this order: an address, in any form of inet_aton(3), returns itself; a name in the hosts(5) file has the addresses of
    /// that file; `localhost` and names below it are this machine, if the file has no other address (RFC 6761), and are never
    /// queried; for any other name the resolver queries servers, for the name itself and for the name in each domain of the
    /// search list. It queries both families at the same time.
    ///
    /// A lookup takes at most two minutes.
    ///
    /// # Errors
    /// [`Error::BadName`] for a text that is not a host name, [`Error::WrongFamily`] for an address of the other family,
    /// [`Error::NotFound`], [`Error::NoData`], [`Error::NoSocket`]. If no server has the answer: [`Error::Server`] if one failed
    /// or refused, otherwise [`Error::Unreadable`], otherwise [`Error::Timeout`], otherwise [`Error::Socket`], if none could be
    /// reached.
    pub async fn lookup(&self, name: &str, wanted: impl Into<Wanted>) -> Result<Vec<IpAddr>> {
        let wanted = wanted.into();
        if let Some(address) = numeric::address(name) {
            let found = wanted.of_address(address).ok_or_else(|| Error::WrongFamily { name: name.to_owned() })?;
            return Ok(vec![found]);
        }
        let known = self.known(name, wanted);
        if !known.is_empty() {
            return Ok(known);
        }
        let host = HostName::parse(name).ok_or_else(|| Error::BadName { name: name.to_owned() })?;
        if host.is_localhost() {
            return self.local(&host, wanted).ok_or_else(|| not_found(name));
        }
        let outcome = timeout(LONGEST, self.ask(&host, wanted)).await;
        let found = outcome.unwrap_or(Err(Miss::TryAgain(Failure::Timeout))).map_err(|miss| self.error(miss, name))?;
        if found.is_empty() { Err(not_found(name)) } else { Ok(found) }
    }

    /// Sorts addresses like getaddrinfo(3), RFC 6724: reachable addresses come first, and those that have most in common with
    /// their source address. `own` are the addresses inside.
    pub async fn sort(&self, addresses: Vec<IpAddr>, own: &[OwnAddress]) -> Vec<IpAddr> {
        order::sort(&self.inside, addresses, own).await
    }

    /// Returns the addresses of a name in the hosts(5) file.
    fn known(&self, name: &str, wanted: Wanted) -> Vec<IpAddr> {
        let hosts = &self.config.hosts;
        let mut found = hosts.get(name, wanted.family);
        if wanted.maps(&found) {
            found.extend(hosts.get(name, Family::V4).into_iter().map(mapped));
        }
        found
    }

    /// Returns the loopback addresses, or `None` if the hosts(5) file has the name with only the other family.
    fn local(&self, host: &HostName, wanted: Wanted) -> Option<Vec<IpAddr>> {
        if self.config.hosts.has(host.as_str()) {
            return None;
        }
        Some(match wanted.family {
            Family::Any => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            Family::V4 => vec![Ipv4Addr::LOCALHOST.into()],
            Family::V6 => vec![Ipv6Addr::LOCALHOST.into()],
        })
    }

    async fn ask(&self, host: &HostName, wanted: Wanted) -> std::result::Result<Vec<IpAddr>, Miss> {
        let exchange = Exchange::new(&self.inside, &self.config, &self.turn);
        let discards_addresses = wanted.family == Family::V6 && self.config.no_aaaa;
        let kinds = self.kinds(wanted.family);
        let mut search = Search { exchange, config: &self.config, kinds, discards_addresses };
        let found = search.run(host).await;
        if !wanted.maps(found.as_deref().unwrap_or_default()) {
            return found;
        }
        (search.kinds, search.discards_addresses) = (self.kinds(Family::V4), false);
        match (found, search.run(host).await) {
            (Ok(own), Ok(others)) => Ok(own.into_iter().chain(others.into_iter().map(mapped)).collect()),
            (Err(_), Ok(others)) => Ok(others.into_iter().map(mapped).collect()),
            (Ok(own), Err(_)) if !own.is_empty() => Ok(own),
            (Ok(_), Err(miss)) => Err(miss),
            (Err(of_one), Err(of_other)) => Err(of_both(of_one, of_other)),
        }
    }

    fn kinds(&self, family: Family) -> &'static [RecordType] {
        match (family, self.config.no_aaaa) {
            (Family::Any, false) => &[RecordType::A, RecordType::AAAA],
            (Family::V6, false) => &[RecordType::AAAA],
            (Family::V4, _) | (_, true) => &[RecordType::A],
        }
    }

    fn error(&self, miss: Miss, name: &str) -> Error {
        match miss {
            Miss::TryAgain(failure) => Error::of(failure, name, &self.config.servers),
            Miss::NoRecovery(Some(code)) => Error::NotFound { name: name.to_owned(), answer: Some(code.into()) },
            Miss::NoData => Error::NoData { name: name.to_owned() },
            Miss::HostNotFound | Miss::NoRecovery(None) => not_found(name),
        }
    }
}

/// Combines the results of both families. If the name has no addresses of one family, it exists.
fn of_both(of_one: Miss, of_other: Miss) -> Miss {
    match (of_one, of_other) {
        (again @ Miss::TryAgain(_), Miss::TryAgain(_)) => again,
        (Miss::NoData | Miss::TryAgain(_), Miss::NoData | Miss::TryAgain(_)) => Miss::NoData,
        (Miss::NoData | Miss::TryAgain(_), miss) | (miss, _) => miss,
    }
}

fn not_found(name: &str) -> Error {
    Error::NotFound { name: name.to_owned(), answer: None }
}
