//! What a resolver goes by.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use crate::hosts::Hosts;

/// The port of a server that is named without one.
pub(crate) const PORT: u16 = 53;

/// What resolv.conf(5) and hosts(5) say. The default is what an empty file means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The servers, in the order in which they are asked. Where there is none, that of the machine itself is asked.
    pub servers: Vec<SocketAddr>,
    /// The domains below which a name is looked for.
    pub search: Vec<String>,
    /// From how many dots on a name is first tried as it is.
    pub ndots: usize,
    /// How long the first server has to answer, each time that it is asked. The others have twice as long, and then
    /// twice as long again, divided by how many there are; and at least a second, or this where it is less.
    pub timeout: Duration,
    /// How often the servers are gone through. Without one, none is asked.
    pub attempts: u32,
    /// Each lookup begins with the next server, not with the first.
    pub rotate: bool,
    /// Questions are asked over TCP from the start (`use-vc`).
    pub tcp: bool,
    /// Longer answers over UDP are asked for (`edns0`, RFC 6891).
    pub edns: bool,
    /// Servers may say that they have checked an answer (`trust-ad`); some answer otherwise then.
    pub trust_ad: bool,
    /// Of two questions, the second is asked once the first is answered.
    pub single_request: bool,
    /// The same, from another port.
    pub single_request_reopen: bool,
    /// No server is asked for IPv6 addresses.
    pub no_aaaa: bool,
    /// A name without a dot is asked for below the domains of the search list only.
    pub no_tld_query: bool,
    /// Names that are not asked for.
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

/// resolv.conf(5): without a server the local machine is asked.
pub(crate) fn local_server() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT)
}
