//! The text of a resolv.conf(5) file.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6},
    time::Duration,
};

use crate::config::{Config, PORT};

/// `MAXNS` of resolv.h: further servers are not asked.
const MOST_SERVERS: usize = 3;

/// `MAXDNSRCH` of resolv.h: whoever writes the file is not to decide how long a lookup takes.
const MOST_DOMAINS: usize = 6;

/// What resolv.conf(5) silently caps the options at.
const MOST_DOTS: u32 = 15;
const MOST_SECONDS: u32 = 30;
const MOST_ATTEMPTS: u32 = 5;

type Zone<'a> = &'a dyn Fn(&str) -> Option<u32>;

pub fn parse(text: &str, zone: Zone<'_>) -> Config {
    let mut config = Config { servers: Vec::new(), ..Config::default() };
    text.lines().for_each(|line| read_line(&mut config, line, zone));
    if config.servers.is_empty() {
        config.servers = Config::default().servers;
    }
    config
}

fn read_line(config: &mut Config, line: &str, zone: Zone<'_>) {
    if line.starts_with(['#', ';']) {
        return;
    }
    let mut words = line.split_whitespace();
    match words.next() {
        Some("nameserver") if config.servers.len() < MOST_SERVERS => {
            config.servers.extend(words.next().and_then(|word| server(word, zone)));
        }
        // The last line of either counts.
        Some("domain") => config.search = words.next().map(ToOwned::to_owned).into_iter().collect(),
        Some("search") => config.search = words.take(MOST_DOMAINS).map(ToOwned::to_owned).collect(),
        Some("options") => words.for_each(|word| read_option(config, word)),
        _ => {}
    }
}

fn server(word: &str, zone: Zone<'_>) -> Option<SocketAddr> {
    let Some((address, link)) = word.split_once('%') else {
        return word.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, PORT));
    };
    let address: Ipv6Addr = address.parse().ok()?;
    let index = link.parse().ok().or_else(|| zone(link))?;
    Some(SocketAddrV6::new(address, PORT, 0, index).into())
}

fn read_option(config: &mut Config, word: &str) {
    let (name, value) = word.split_once(':').unwrap_or((word, ""));
    let number = value.parse::<u32>().ok();
    match (name, number) {
        ("ndots", Some(number)) => config.ndots = number.min(MOST_DOTS) as usize,
        // The libraries take no less than a second, and than one attempt.
        ("timeout", Some(number)) => config.timeout = Duration::from_secs(number.clamp(1, MOST_SECONDS).into()),
        ("attempts", Some(number)) => config.attempts = number.clamp(1, MOST_ATTEMPTS),
        ("rotate", _) => config.rotate = true,
        ("use-vc", _) => config.tcp = true,
        ("edns0", _) => config.edns = true,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Config {
        parse(text, &|link| (link == "eth0").then_some(7))
    }

    fn servers(text: &str) -> Vec<String> {
        read(text).servers.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn servers_are_asked_in_the_order_of_the_file() {
        assert_eq!(
            servers("nameserver 10.0.0.1\nnameserver\tfd00::1 \nnameserver 10.0.0.2 and more\n"),
            ["10.0.0.1:53", "[fd00::1]:53", "10.0.0.2:53"]
        );
    }

    #[test]
    fn without_a_server_the_machine_itself_is_asked() {
        assert_eq!(servers(""), ["127.0.0.1:53", "[::1]:53"]);
        assert_eq!(servers("nameserver\nnameserver example.org\n#nameserver 10.0.0.1"), ["127.0.0.1:53", "[::1]:53"]);
    }

    #[test]
    fn a_fourth_server_is_not_asked() {
        let lines = ["nameserver 10.0.0.1", "nameserver fd00::1", "nameserver 10.0.0.2", "nameserver 10.0.0.3"];
        assert_eq!(servers(&lines.join("\n")), ["10.0.0.1:53", "[fd00::1]:53", "10.0.0.2:53"]);
    }

    #[test]
    fn the_zone_of_a_server_is_a_link_by_name_or_number() {
        let text = "nameserver fe80::1%eth0\nnameserver fe80::1%3\nnameserver fe80::1%eth1\nnameserver 10.0.0.1%eth0";
        assert_eq!(servers(text), ["[fe80::1%7]:53", "[fe80::1%3]:53"]);
    }

    #[test]
    fn the_last_of_domain_and_search_counts() {
        assert_eq!(read("search a.test b.test\ndomain c.test d.test\n").search, ["c.test"]);
        assert_eq!(read("domain c.test\nsearch a.test b.test\n").search, ["a.test", "b.test"]);
    }

    #[test]
    fn options_are_capped_and_unknown_ones_passed_over() {
        let config = read("options ndots:2 timeout:3 attempts:4\noptions rotate use-vc edns0 inet6 ndots:x what:1\n");
        assert_eq!((config.ndots, config.timeout, config.attempts), (2, Duration::from_secs(3), 4));
        assert!(config.rotate && config.tcp && config.edns);
        let config = read("options ndots:99 timeout:99 attempts:99");
        assert_eq!((config.ndots, config.timeout, config.attempts), (15, Duration::from_secs(30), 5));
        let config = read("options timeout:0 attempts:0");
        assert_eq!((config.timeout, config.attempts), (Duration::from_secs(1), 1));
    }

    #[test]
    fn comments_and_unknown_lines_are_passed_over() {
        assert_eq!(read("; nameserver 10.0.0.1\n# search a\nfamily inet4\nsortlist 10.0.0.0\n\n"), Config::default());
    }
}
