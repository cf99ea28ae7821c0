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

/// The longest time for a lookup, whatever its configuration says: another user may have written that.
const LONGEST: Duration = Duration::from_secs(120);

/// Resolves names by one configuration, over the sockets of one maker. It keeps nothing of what it was answered.
pub struct Resolver {
    config: Config,
    inside: Inside,
    /// Where the next lookup begins, when the servers take turns.
    turn: AtomicUsize,
}

impl Resolver {
    pub fn new(mut config: Config, maker: impl SocketMaker) -> Self {
        if config.servers.is_empty() {
            config.servers = vec![local_server()];
        }
        Self { config, inside: Inside::new(maker), turn: AtomicUsize::new(0) }
    }

    /// The addresses of a host, at least one, as getaddrinfo(3) of glibc finds them, in the order in which they arrived;
    /// [`Resolver::sort`] puts them into its order.
    ///
    /// In this order: an address, in any form of inet_aton(3), is its own; a name of the hosts(5) file has the addresses
    /// there; `localhost` and what is below it are this machine where that file does not say otherwise (RFC 6761), and are
    /// never asked for; any other is asked for, as it is and below each domain of the search list. Both families are
    /// asked for at the same time.
    ///
    /// A lookup takes two minutes at most.
    ///
    /// # Errors
    /// [`Error::BadName`] for what is no name, [`Error::WrongFamily`] for an address of the other family,
    /// [`Error::NotFound`], [`Error::NoData`], [`Error::NotMade`]. When no server knows, what says most: [`Error::Server`] if one said that
    /// it fails or refuses, else [`Error::Unreadable`], else [`Error::Timeout`], else [`Error::Socket`], when none can
    /// be reached.
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
        let asked = timeout(LONGEST, self.ask(&host, wanted)).await;
        let found = asked.unwrap_or(Err(Miss::Again(Failure::Timeout))).map_err(|miss| self.error(miss, name))?;
        if found.is_empty() { Err(not_found(name)) } else { Ok(found) }
    }

    /// In the order of getaddrinfo(3), RFC 6724: those that can be reached, and by which an address of this machine with
    /// as much in common, come first. `own` are the addresses inside.
    pub async fn sort(&self, addresses: Vec<IpAddr>, own: &[OwnAddress]) -> Vec<IpAddr> {
        order::sort(&self.inside, addresses, own).await
    }

    /// What the hosts(5) file says.
    fn known(&self, name: &str, wanted: Wanted) -> Vec<IpAddr> {
        let hosts = &self.config.hosts;
        let mut found = hosts.get(name, wanted.family);
        if wanted.maps(&found) {
            found.extend(hosts.get(name, Family::V4).into_iter().map(mapped));
        }
        found
    }

    /// This machine, where the hosts(5) file does not say that it has only the other family.
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
        let takes_nothing = wanted.family == Family::V6 && self.config.no_aaaa;
        let kinds = self.kinds(wanted.family);
        let mut search = Search { exchange, config: &self.config, kinds, takes_nothing };
        let found = search.run(host).await;
        if !wanted.maps(found.as_deref().unwrap_or_default()) {
            return found;
        }
        (search.kinds, search.takes_nothing) = (self.kinds(Family::V4), false);
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
            Miss::Again(failure) => Error::of(failure, name, &self.config.servers),
            Miss::Hopeless(Some(code)) => Error::NotFound { name: name.to_owned(), answer: Some(code.into()) },
            Miss::NoData => Error::NoData { name: name.to_owned() },
            Miss::NoName | Miss::Hopeless(None) => not_found(name),
        }
    }
}

/// That a name has none of one family says that it is there.
fn of_both(of_one: Miss, of_other: Miss) -> Miss {
    match (of_one, of_other) {
        (again @ Miss::Again(_), Miss::Again(_)) => again,
        (Miss::NoData | Miss::Again(_), Miss::NoData | Miss::Again(_)) => Miss::NoData,
        (Miss::NoData | Miss::Again(_), miss) | (miss, _) => miss,
    }
}

fn not_found(name: &str) -> Error {
    Error::NotFound { name: name.to_owned(), answer: None }
}
