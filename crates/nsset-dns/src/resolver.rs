//! The resolver.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join;
use hickory_net::proto::{
    op::{Query, ResponseCode},
    rr::{Name, RecordType},
};

use tokio::time::timeout;

use crate::{
    addresses::addresses,
    candidates::candidates,
    config::{Config, local_servers},
    error::{Error, Result},
    exchange,
    failure::Failure,
    family::Family,
    host_name::HostName,
    inside::{Inside, SocketMaker},
};

/// How long a lookup may take, whatever its configuration says: that may be somebody else's.
const LONGEST: Duration = Duration::from_secs(60);

/// Resolves names by one configuration, over the sockets of one maker. It keeps nothing of what it was answered.
pub struct Resolver {
    config: Config,
    search: Vec<HostName>,
    inside: Inside,
    /// Where the next question begins, when the servers take turns.
    turn: AtomicUsize,
}

impl Resolver {
    /// Domains of the search list that no name can be below are left out.
    pub fn new(mut config: Config, maker: impl SocketMaker) -> Self {
        if config.servers.is_empty() {
            config.servers = local_servers().into();
        }
        let search = config.search.iter().filter_map(|domain| HostName::parse(domain)).collect();
        Self { config, search, inside: Inside::new(maker), turn: AtomicUsize::new(0) }
    }

    /// The addresses of a host, at least one: IPv4 first, and of each family in the order in which it was told. They
    /// are not sorted by RFC 6724, as getaddrinfo(3) does, which would need to know the routes inside.
    ///
    /// In this order: an IP address is its own, of whatever family; a name of the hosts(5) file has the addresses
    /// there; `localhost` and what is below it are this machine; any other is asked for, below each domain of the
    /// search list and as it is. Both families are asked for at the same time. A server that does not answer in time,
    /// or cannot say, makes room for the next. A family that no server could say anything of is passed over if the
    /// other has addresses.
    ///
    /// Each name takes at most timeout × attempts × servers, and as much again where answers go on over TCP; all of them
    /// together take a minute at most.
    ///
    /// # Errors
    /// [`Error::BadName`] for what is no name, [`Error::NotFound`], [`Error::NotMade`]. When no server knows, what says
    /// most: [`Error::Server`] if one said that it fails or refuses, else [`Error::Unreadable`], else
    /// [`Error::Timeout`], else [`Error::Socket`], when none can be reached.
    pub async fn lookup(&self, name: &str, family: Family) -> Result<Vec<IpAddr>> {
        if let Ok(address) = name.parse() {
            return Ok(vec![address]);
        }
        let host = HostName::parse(name).ok_or_else(|| Error::BadName { name: name.to_owned() })?;
        let mut found = self.known(&host, family);
        if found.is_empty() {
            found = timeout(LONGEST, self.search(&host, family))
                .await
                .unwrap_or_else(|_| Err(self.error(Failure::Timeout, &host)))?;
        }
        found.sort_by_key(IpAddr::is_ipv6);
        Ok(found)
    }

    /// What needs no asking.
    fn known(&self, host: &HostName, family: Family) -> Vec<IpAddr> {
        let known = self.config.hosts.get(host, family);
        if !known.is_empty() || !host.is_localhost() {
            return known;
        }
        let mut loopback = vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        loopback.retain(|address| family.has(*address));
        loopback
    }

    /// Goes through the search list. Only a server that fails lets it go on, as glibc's res_nsearch() has it: after
    /// silence, the next name would only wait as long.
    async fn search(&self, host: &HostName, family: Family) -> Result<Vec<IpAddr>> {
        let mut failed = None;
        for candidate in candidates(host, &self.search, self.config.ndots) {
            let Some(question) = candidate.question() else { continue };
            match self.resolve(&question, family).await {
                Ok(found) if found.is_empty() => {}
                Ok(found) => return Ok(found),
                Err(failure @ Failure::Code(ResponseCode::ServFail)) => failed = Some(failure),
                Err(failure) => return Err(self.error(failure, host)),
            }
        }
        Err(failed.map_or_else(|| not_found(host), |failure| self.error(failure, host)))
    }

    /// The addresses of a whole name; none where there is no such name, or it has none.
    async fn resolve(&self, name: &Name, family: Family) -> std::result::Result<Vec<IpAddr>, Failure> {
        match family {
            Family::V4 => self.query(name, RecordType::A).await,
            Family::V6 => self.query(name, RecordType::AAAA).await,
            Family::Any => either(join(self.query(name, RecordType::A), self.query(name, RecordType::AAAA)).await),
        }
    }

    /// Asks one server after the other, until one knows.
    async fn query(&self, name: &Name, kind: RecordType) -> std::result::Result<Vec<IpAddr>, Failure> {
        let question = Query::query(name.clone(), kind);
        let servers = self.servers();
        let mut failed: Option<Failure> = None;
        for _ in 0..self.config.attempts.max(1) {
            for server in &servers {
                match exchange::ask(&self.inside, &self.config, *server, &question).await {
                    Ok(response) => return Ok(addresses(&response, &question)),
                    Err(failure @ Failure::NotMade(_)) => return Err(failure),
                    Err(failure) => {
                        failed = Some(match failed {
                            Some(earlier) => earlier.or(failure),
                            None => failure,
                        });
                    }
                }
            }
        }
        Err(failed.unwrap_or(Failure::Timeout))
    }

    /// In the order in which they are asked now.
    fn servers(&self) -> Vec<SocketAddr> {
        let mut servers = self.config.servers.clone();
        if self.config.rotate {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % servers.len();
            servers.rotate_left(turn);
        }
        servers
    }

    fn error(&self, failure: Failure, host: &HostName) -> Error {
        Error::of(failure, host.as_str(), &self.config.servers)
    }
}

/// What two questions about a name have for an answer. One that failed counts where the other found nothing.
fn either(
    (v4, v6): (std::result::Result<Vec<IpAddr>, Failure>, std::result::Result<Vec<IpAddr>, Failure>),
) -> std::result::Result<Vec<IpAddr>, Failure> {
    match (v4, v6) {
        (Ok(v4), Ok(v6)) => Ok([v4, v6].concat()),
        (Ok(found), Err(failure)) | (Err(failure), Ok(found)) if found.is_empty() => Err(failure),
        (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(found),
        (Err(one), Err(other)) => Err(one.or(other)),
    }
}

fn not_found(host: &HostName) -> Error {
    Error::NotFound { name: host.as_str().to_owned() }
}
