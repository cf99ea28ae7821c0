//! Parses the texts of a resolv.conf(5) and of a hosts(5) file to a [`Config`], like glibc.
//!
//! The crate resolv-conf differs from glibc in 6 of the 10 tables below: it accepts an indented keyword, `10.0.0.1#x` and a line
//! with `\r`, rejects `127.1` and `rotate2`, and reads an empty `search` as an empty list.

use std::{
    net::{Ipv6Addr, SocketAddr, SocketAddrV6},
    time::Duration,
};

use crate::{
    config::{Config, PORT},
    hosts::Hosts,
    numeric::ipv4,
};

/// `MAXNS` of resolv.h: further servers are ignored. The number of domains is not limited.
const MOST_SERVERS: usize = 3;

/// The limits to which resolv.conf(5) silently reduces the options.
const MOST_DOTS: u32 = 15;
const MOST_SECONDS: u32 = 30;
const MOST_ATTEMPTS: u32 = 5;

type Zone<'a> = &'a dyn Fn(&str) -> Option<u32>;

impl Config {
    /// Parses the texts of a resolv.conf(5) and of a hosts(5) file, like glibc. Unknown lines are skipped. `zone` returns the
    /// index of the link in the address of a server, such as `fe80::1%eth0`. A server on an unknown link stays on the list, but
    /// cannot be reached.
    ///
    /// The following is not implemented: `sortlist`, which getaddrinfo(3) ignores, `LOCALDOMAIN` and `RES_OPTIONS` of the
    /// environment, which belongs to the calling process, and the domain of the host name, which glibc uses if `search` is empty.
    pub fn parse(resolv_conf: &str, hosts: &str, zone: impl Fn(&str) -> Option<u32>) -> Self {
        Self { hosts: Hosts::parse(hosts), ..parse(resolv_conf, &zone) }
    }
}

fn parse(text: &str, zone: Zone<'_>) -> Config {
    let mut config = Config { servers: Vec::new(), ..Config::default() };
    text.split('\n').for_each(|line| read_line(&mut config, line, zone));
    if config.servers.is_empty() {
        config.servers = Config::default().servers;
    }
    config
}

/// Parses a line. A keyword is at the start of the line, before a blank or a tab, so this ignores comments. As in C, a line ends
/// at a NUL.
fn read_line(config: &mut Config, line: &str, zone: Zone<'_>) {
    let line = line.split('\0').next().unwrap_or_default();
    let Some((keyword, rest)) = line.split_once(BLANKS) else { return };
    let mut words = rest.split(BLANKS).filter(|word| !word.is_empty());
    match keyword {
        "nameserver" if config.servers.len() < MOST_SERVERS => {
            config.servers.extend(words.next().and_then(|word| server(word, zone)));
        }
        // The last `domain` or `search` line with a value counts.
        "domain" => set_search(config, words.take(1)),
        "search" => set_search(config, words),
        "options" => words.for_each(|word| read_option(config, word)),
        _ => {}
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

fn set_search<'a>(config: &mut Config, domains: impl Iterator<Item = &'a str>) {
    let mut domains = domains.map(ToOwned::to_owned).peekable();
    if domains.peek().is_some() {
        config.search = domains.collect();
    }
}

/// Parses a server address: IPv4 in any form of inet_aton(3), or IPv6, which may have a zone.
fn server(word: &str, zone: Zone<'_>) -> Option<SocketAddr> {
    if let Some(address) = ipv4(word) {
        return Some(SocketAddr::new(address.into(), PORT));
    }
    let (address, link) = word.split_once('%').unwrap_or((word, ""));
    let address: Ipv6Addr = address.parse().ok()?;
    Some(SocketAddrV6::new(address, PORT, 0, zone_of(&address, link, zone)).into())
}

/// Returns the index of the link of a link-local address. 0 for other addresses, and for an unknown link.
fn zone_of(address: &Ipv6Addr, link: &str, zone: Zone<'_>) -> u32 {
    let [first, second, ..] = address.octets();
    let is_of_a_link = address.is_unicast_link_local() || (first == 0xff && matches!(second & 0xf, 1 | 2));
    let by_name = if is_of_a_link && !link.is_empty() { zone(link) } else { None };
    let is_number = link.bytes().all(|byte| byte.is_ascii_digit());
    by_name.or_else(|| link.parse().ok().filter(|_| is_number)).unwrap_or_default()
}

/// Parses an option. Other text may follow its name, such as `rotate-or-so`.
fn read_option(config: &mut Config, word: &str) {
    if let Some(value) = word.strip_prefix("ndots:") {
        config.ndots = number(value).map_or(MOST_DOTS, |number| number.min(MOST_DOTS)) as usize;
    } else if let Some(value) = word.strip_prefix("timeout:") {
        config.timeout = Duration::from_secs(number(value).unwrap_or(0).clamp(1, MOST_SECONDS).into());
    } else if let Some(value) = word.strip_prefix("attempts:") {
        config.attempts = number(value).unwrap_or(0).min(MOST_ATTEMPTS);
    } else if let Some((_, set)) = OPTIONS.iter().find(|(name, _)| word.starts_with(name)) {
        set(config);
    }
}

type Setter = fn(&mut Config);

const OPTIONS: [(&str, Setter); 9] = [
    ("rotate", |config| config.rotate = true),
    ("edns0", |config| config.edns = true),
    ("single-request-reopen", |config| config.single_request_reopen = true),
    ("single-request", |config| config.single_request = true),
    ("no_tld_query", |config| config.no_tld_query = true),
    ("no-tld-query", |config| config.no_tld_query = true),
    ("use-vc", |config| config.tcp = true),
    ("trust-ad", |config| config.trust_ad = true),
    ("no-aaaa", |config| config.no_aaaa = true),
];

/// Parses a number like atoi(3): uses the digits at the start, or 0 if there are none. `None` for a negative number.
fn number(text: &str) -> Option<u32> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if text.starts_with('-') {
        return None;
    }
    let end = text.find(|byte: char| !byte.is_ascii_digit()).unwrap_or(text.len());
    let digits = text.get(..end).unwrap_or_default();
    Some(if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u32::MAX) })
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
    fn servers_are_in_the_order_of_the_file() {
        assert_eq!(
            servers("nameserver 10.0.0.1\nnameserver\tfd00::1 \nnameserver 10.0.0.2 and more\n"),
            ["10.0.0.1:53", "[fd00::1]:53", "10.0.0.2:53"]
        );
    }

    #[test]
    fn the_default_server_is_on_the_local_machine() {
        assert_eq!(servers(""), ["127.0.0.1:53"]);
        assert_eq!(servers("nameserver\nnameserver example.org\n#nameserver 10.0.0.1"), ["127.0.0.1:53"]);
    }

    #[test]
    fn a_fourth_server_is_ignored() {
        let lines = ["nameserver 10.0.0.1", "nameserver fd00::1", "nameserver 10.0.0.2", "nameserver 10.0.0.3"];
        assert_eq!(servers(&lines.join("\n")), ["10.0.0.1:53", "[fd00::1]:53", "10.0.0.2:53"]);
    }

    #[test]
    fn the_zone_of_a_server_is_a_link_by_name_or_number() {
        let text = "nameserver fe80::1%eth0\nnameserver fe80::1%3\nnameserver fe80::1%eth1\nnameserver 10.0.0.1%eth0";
        assert_eq!(servers(text), ["[fe80::1%7]:53", "[fe80::1%3]:53", "[fe80::1]:53"]);
        assert_eq!(servers("nameserver fd00::1%eth0\nnameserver fe80::2%\n"), ["[fd00::1]:53", "[fe80::2]:53"]);
    }

    #[test]
    fn a_server_may_be_in_any_form_of_inet_aton() {
        assert_eq!(servers("nameserver 127.1\nnameserver 0x7f.2\n"), ["127.0.0.1:53", "127.0.0.2:53"]);
    }

    #[test]
    fn a_keyword_begins_its_line_and_ends_at_a_blank() {
        for text in [
            " nameserver 10.0.0.1",
            "\tnameserver 10.0.0.1",
            "nameserver10.0.0.1",
            "Nameserver 10.0.0.1",
            "nameserver 10.0.0.1\r\n",
            "nameserver 10.0.0.1;",
            "nameserver 10.0.0.1#x",
            "x\0nameserver 10.0.0.1",
            "#nameserver 10.0.0.1",
            "; nameserver 10.0.0.1",
            "nameserver\u{a0}10.0.0.1",
            "nameserver \u{2003}10.0.0.1",
        ] {
            assert_eq!(servers(text), ["127.0.0.1:53"], "{text:?}");
        }
        for text in ["nameserver\t 10.0.0.1 # more", "nameserver 10.0.0.1\0.2", "nameserver 10.0.0.1"] {
            assert_eq!(servers(text), ["10.0.0.1:53"], "{text:?}");
        }
    }

    #[test]
    fn the_last_of_domain_and_search_counts() {
        assert_eq!(read("search a.test b.test\ndomain c.test d.test\n").search, ["c.test"]);
        assert_eq!(read("domain c.test\nsearch a.test b.test\n").search, ["a.test", "b.test"]);
        assert_eq!(read("search a.test\nsearch \ndomain\t\nsearch").search, ["a.test"]);
        let many = (0..100).map(|number| format!("{number}.test")).collect::<Vec<_>>();
        assert_eq!(read(&format!("search {}", many.join(" "))).search, many);
    }

    #[test]
    fn options_are_capped_and_unknown_ones_passed_over() {
        let config = read("options ndots:2 timeout:3 attempts:4\noptions rotate use-vc edns0 inet6 what:1\n");
        assert_eq!((config.ndots, config.timeout, config.attempts), (2, Duration::from_secs(3), 4));
        assert!(config.rotate && config.tcp && config.edns && !config.trust_ad && !config.single_request);
        let config = read("options ndots:99 timeout:99 attempts:99");
        assert_eq!((config.ndots, config.timeout, config.attempts), (15, Duration::from_secs(30), 5));
        let config = read("options timeout:0 attempts:0");
        assert_eq!((config.timeout, config.attempts), (Duration::from_secs(1), 0));
        let config = read("options ndots:x timeout:-4 attempts:3x");
        assert_eq!((config.ndots, config.timeout, config.attempts), (0, Duration::from_secs(1), 3));
        let config = read("options ndots:-1 attempts:99999999999");
        assert_eq!((config.ndots, config.attempts), (15, 5));
    }

    #[test]
    fn other_text_may_follow_the_name_of_an_option() {
        let config = read("options trust-ad no-aaaa single-request-reopen rotate2 no_tld_query,x\n");
        assert!(config.trust_ad && config.no_aaaa && config.rotate && config.no_tld_query);
        assert!(config.single_request_reopen && !config.single_request);
        assert!(read("options single-request").single_request);
    }

    #[test]
    fn comments_and_unknown_lines_are_passed_over() {
        assert_eq!(read("; nameserver 10.0.0.1\n# search a\nfamily inet4\nsortlist 10.0.0.0\n\n"), Config::default());
    }

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
