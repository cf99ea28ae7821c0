//! What a resolver goes by.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use crate::{hosts::Hosts, resolv_conf};

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

impl Config {
    /// Reads the texts of a resolv.conf(5) and of a hosts(5) file, as glibc reads them; what cannot be understood is
    /// passed over. `zone` returns the index of the link that a server such as `fe80::1%eth0` names; with an unknown one
    /// the server stays on the list, and cannot be reached.
    ///
    /// Left out: `sortlist`, which getaddrinfo(3) does not heed, `LOCALDOMAIN` and `RES_OPTIONS` of the environment, which
    /// is the calling process's and not the inside's, and the domain of the host's own name: where `search` is empty,
    /// glibc has that there.
    pub fn parse(resolv_conf: &str, hosts: &str, zone: impl Fn(&str) -> Option<u32>) -> Self {
        Self { hosts: Hosts::parse(hosts), ..resolv_conf::parse(resolv_conf, &zone) }
    }
}

/// resolv.conf(5): without a server the local machine is asked.
pub(crate) fn local_server() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_too_strange_to_be_read() {
        const TEXT: &str =
            "nameserver fe80::1%eth0\nsearch a.test b\ndomain é\noptions ndots:2 timeout:30\n10.0.0.7 db x\n";
        let mut state = 0x9e37_79b9_u32;
        let mut random = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % below
        };
        for _ in 0..20_000 {
            let mut bytes = TEXT.as_bytes().to_vec();
            for _ in 0..=random(8) {
                let place = random(bytes.len());
                match random(4) {
                    0 => bytes[place] = random(256) as u8,
                    1 if bytes.len() > 1 => drop(bytes.remove(place)),
                    2 => bytes.insert(place, b" \n%:.#\0\xff"[random(8)]),
                    _ => bytes.truncate(place.max(1)),
                }
            }
            let text = String::from_utf8_lossy(&bytes);
            let config = Config::parse(&text, &text, |_| Some(1));
            assert!((1..=3).contains(&config.servers.len()), "{text}");
            assert!(config.ndots <= 15 && config.attempts <= 5 && !config.timeout.is_zero(), "{text}");
            assert_eq!(Hosts::parse(&text), config.hosts);
        }
    }
}
