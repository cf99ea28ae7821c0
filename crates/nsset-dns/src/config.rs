//! The configuration of a resolver.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use crate::hosts::Hosts;

/// The port of a server whose address has none.
pub(crate) const PORT: u16 = 53;

/// The configuration from resolv.conf(5) and hosts(5). The default is that of empty files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The servers, in the order of the queries. If this is empty, the resolver queries the server on the local machine.
    pub servers: Vec<SocketAddr>,
    /// The domains of the search list.
    pub search: Vec<String>,
    /// A name with at least this many dots is first looked up without a domain.
    pub ndots: usize,
    /// The time limit for an answer of the first server, in each attempt. It doubles for each further server, and is divided by
    /// the number of servers for all but the first. It is at least a second, or this value if that is less.
    pub timeout: Duration,
    /// How many times the resolver tries all servers. With 0 it queries none.
    pub attempts: u32,
    /// Whether each lookup starts with the next server instead of the first.
    pub rotate: bool,
    /// Whether all queries use TCP (`use-vc`).
    pub tcp: bool,
    /// Whether queries allow longer answers over UDP (`edns0`, RFC 6891).
    pub edns: bool,
    /// Whether queries ask servers to report that they have validated an answer (`trust-ad`). Some servers then answer
    /// differently.
    pub trust_ad: bool,
    /// Whether the second of two queries is sent only after the answer to the first.
    pub single_request: bool,
    /// Like `single_request`, and the second query comes from another port.
    pub single_request_reopen: bool,
    /// Whether the resolver never queries IPv6 addresses.
    pub no_aaaa: bool,
    /// Whether a name without a dot is looked up only in the domains of the search list.
    pub no_tld_query: bool,
    /// Names with known addresses, which the resolver does not query.
    pub hosts: Hosts,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            servers: vec![local_server()],
            search: Vec::new(),
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
            rotate: false,
            tcp: false,
            edns: false,
            trust_ad: false,
            single_request: false,
            single_request_reopen: false,
            no_aaaa: false,
            no_tld_query: false,
            hosts: Hosts::default(),
        }
    }
}

/// The default server of resolv.conf(5), on the local machine.
pub(crate) fn local_server() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT)
}
