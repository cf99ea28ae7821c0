//! What a resolver goes by.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use crate::{hosts::Hosts, resolv_conf};

/// The port of a server that is named without one.
pub(crate) const PORT: u16 = 53;

/// What resolv.conf(5) and hosts(5) say. The default is what an empty file means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The servers, in the order in which they are asked. Where there is none, those of the machine itself are asked.
    pub servers: Vec<SocketAddr>,
    /// The domains below which a name is looked for.
    pub search: Vec<String>,
    /// From how many dots on a name is first tried as it is.
    pub ndots: usize,
    /// How long each server has to answer a question, each time that it is asked.
    pub timeout: Duration,
    /// How often the servers are gone through; at least once.
    pub attempts: u32,
    /// Each question begins with the next server, not with the first.
    pub rotate: bool,
    /// Questions are asked over TCP from the start (`use-vc`).
    pub tcp: bool,
    /// Longer answers over UDP are asked for (`edns0`, RFC 6891).
    pub edns: bool,
    /// Names that are not asked for.
    pub hosts: Hosts,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            servers: local_servers().into(),
            search: Vec::new(),
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
            rotate: false,
            tcp: false,
            edns: false,
            hosts: Hosts::default(),
        }
    }
}

impl Config {
    /// Reads the texts of a resolv.conf(5) and of a hosts(5) file. What cannot be understood is passed over, as other
    /// resolvers do. `zone` tells the index of the link that a server such as `fe80::1%eth0` names; one that names an
    /// unknown link is passed over, one with a number (`fe80::1%2`) needs no telling.
    ///
    /// Left out: `sortlist`, the options not named by the fields above, `LOCALDOMAIN` and `RES_OPTIONS` of the
    /// environment, and the domain of the host's own name as a search list.
    pub fn parse(resolv_conf: &str, hosts: &str, zone: impl Fn(&str) -> Option<u32>) -> Self {
        Self { hosts: Hosts::parse(hosts), ..resolv_conf::parse(resolv_conf, &zone) }
    }
}

/// resolv.conf(5): without a server the local machine is asked.
pub(crate) fn local_servers() -> [SocketAddr; 2] {
    [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].map(|address| SocketAddr::new(address, PORT))
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
            assert!(config.ndots <= 15 && config.attempts >= 1 && !config.timeout.is_zero(), "{text}");
            assert_eq!(Hosts::parse(&text), config.hosts);
        }
    }
}
