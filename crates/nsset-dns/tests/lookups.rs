//! Looks up names with servers in a new network.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod lab;

use std::{
    collections::HashSet,
    io,
    net::UdpSocket,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use hickory_proto::{op::ResponseCode, rr::RecordType};
use lab::{Query, Reply, Transport, a, aaaa, cname, config, dark_host, host, host_of_user};
use nix::errno::Errno;
use nsset_dns::{Config, Error, Family, Hosts, Mapped, Resolver, Wanted};

const SERVER: &str = "127.0.0.1:53";
const SECOND: &str = "127.0.0.2:53";

/// Each name of `lab.test` has two addresses of each family, and `alias.lab.test` has those of `web`. No other names exist.
fn zone(query: &Query) -> Reply {
    let records = |name: &str| match query.kind {
        RecordType::A => vec![a(name, "10.0.0.2"), a(name, "10.0.0.1")],
        _ => vec![aaaa(name, "fd00::2"), aaaa(name, "fd00::1")],
    };
    match query.name.as_str() {
        "alias.lab.test." => {
            let mut chain =
                vec![cname("alias.lab.test.", "other.lab.test."), cname("other.lab.test.", "web.lab.test.")];
            chain.extend(records("web.lab.test."));
            Reply::Records(chain)
        }
        "v4only.lab.test." if query.kind == RecordType::AAAA => Reply::Records(Vec::new()),
        name if name.ends_with(".lab.test.") => Reply::Records(records(name)),
        _ => Reply::Code(ResponseCode::NXDomain),
    }
}

async fn lookup(resolver: &Resolver, name: &str, family: Family) -> Vec<String> {
    let addresses = resolver.lookup(name, family).await.unwrap();
    addresses.iter().map(ToString::to_string).collect()
}

async fn failure(resolver: &Resolver, name: &str) -> Error {
    resolver.lookup(name, Family::Any).await.unwrap_err()
}

#[tokio::test]
async fn a_name_has_its_addresses_ipv4_first_in_the_order_of_the_server() {
    let host = host();
    let server = host.serve(SERVER, zone);
    let resolver = host.resolver(config(&[SERVER]));
    assert_eq!(lookup(&resolver, "web.lab.test", Family::Any).await, ["10.0.0.2", "10.0.0.1", "fd00::2", "fd00::1"]);
    assert_eq!(server.queries().iter().map(|query| query.kind).collect::<HashSet<_>>().len(), 2);
    assert_eq!(lookup(&resolver, "WEB.lab.test.", Family::V4).await, ["10.0.0.2", "10.0.0.1"]);
    assert_eq!(lookup(&resolver, "web.lab.test", Family::V6).await, ["fd00::2", "fd00::1"]);
    assert_eq!(server.queries().len(), 4);
    assert!(server.queries().iter().all(|query| query.transport == Transport::Udp && !query.edns));
}

#[tokio::test]
async fn aliases_are_followed() {
    let host = host();
    let _server = host.serve(SERVER, zone);
    let resolver = host.resolver(config(&[SERVER]));
    assert_eq!(lookup(&resolver, "alias.lab.test", Family::V4).await, ["10.0.0.2", "10.0.0.1"]);
}

#[tokio::test]
async fn a_missing_name_is_not_queried_at_the_next_server() {
    let host = host();
    let (_first, second) = (host.serve(SERVER, zone), host.serve(SECOND, zone));
    let resolver = host.resolver(config(&[SERVER, SECOND]));
    let error = failure(&resolver, "nowhere.test").await;
    assert!(matches!(&error, Error::NotFound { name, answer: None } if name == "nowhere.test"), "{error}");
    assert_eq!(error.to_string(), "ENOTFOUND: no such host, lookup 'nowhere.test'");
    assert_eq!(error.code(), "ENOTFOUND");
    // The name exists, but has no such address.
    let error = resolver.lookup("v4only.lab.test", Family::V6).await.unwrap_err();
    assert_eq!(error.code(), "ENODATA");
    assert_eq!(lookup(&resolver, "v4only.lab.test", Family::Any).await, ["10.0.0.2", "10.0.0.1"]);
    assert_eq!(second.names(), [""; 0]);
}

#[tokio::test]
async fn a_short_name_is_looked_up_in_the_domains_of_the_search_list() {
    let host = host();
    let server = host.serve(SERVER, zone);
    let search = vec!["other.test".to_owned(), "lab.test".to_owned()];
    let resolver = host.resolver(Config { search, ..config(&[SERVER]) });
    assert_eq!(lookup(&resolver, "web", Family::V4).await, ["10.0.0.2", "10.0.0.1"]);
    assert_eq!(server.names(), ["web.other.test.", "web.lab.test."]);
    assert_eq!(lookup(&resolver, "a.web", Family::V4).await, ["10.0.0.2", "10.0.0.1"]);
    assert_eq!(server.names()[2..], ["a.web.", "a.web.other.test.", "a.web.lab.test."]);
    assert_eq!(failure(&resolver, "web.").await.code(), "ENOTFOUND");
    assert!(server.names()[5..].iter().all(|name| name == "web."));
}

#[tokio::test]
async fn a_truncated_answer_is_queried_again_over_tcp() {
    let host = host();
    let all = |name: &str| (0..200).map(|number| a(name, &format!("10.1.0.{number}"))).collect::<Vec<_>>();
    let server = host.serve(SERVER, move |query| match query.transport {
        Transport::Udp if query.name.starts_with("polite") => Reply::Truncated,
        _ => Reply::Records(all(&query.name)),
    });
    let resolver = host.resolver(config(&[SERVER]));
    assert_eq!(lookup(&resolver, "polite.test", Family::V4).await.len(), 200);
    // The answer is longer than UDP allows, but not marked as truncated. The resolver reads it.
    assert_eq!(lookup(&resolver, "rude.test", Family::V4).await.len(), 200);
    let transports: Vec<_> = server.queries().iter().map(|query| query.transport).collect();
    assert_eq!(transports, [Transport::Udp, Transport::Tcp, Transport::Udp]);
}

#[tokio::test]
async fn options_select_tcp_or_longer_answers_over_udp() {
    let host = host();
    let server = host.serve(SERVER, zone);
    let resolver = host.resolver(Config { tcp: true, ..config(&[SERVER]) });
    assert_eq!(lookup(&resolver, "web.lab.test", Family::Any).await.len(), 4);
    assert!(server.queries().iter().all(|query| query.transport == Transport::Tcp));
    let resolver = host.resolver(Config { edns: true, ..config(&[SERVER]) });
    assert_eq!(lookup(&resolver, "web.lab.test", Family::V4).await.len(), 2);
    assert!(server.queries().last().unwrap().edns);
}

#[tokio::test]
async fn the_next_server_is_queried_after_the_time_limit_of_a_silent_one() {
    let host = host();
    let (first, _second) = (host.serve(SERVER, |_| Reply::Nothing), host.serve(SECOND, zone));
    let resolver = host.resolver(config(&[SERVER, SECOND]));
    let start = Instant::now();
    assert_eq!(lookup(&resolver, "web.lab.test", Family::Any).await.len(), 4);
    assert!(start.elapsed() >= Duration::from_millis(500), "{:?}", start.elapsed());
    assert_eq!(first.queries().len(), 2);
}

#[tokio::test]
async fn when_all_are_silent_the_time_is_over_after_every_attempt_at_every_server() {
    let host = host();
    let servers = [host.serve(SERVER, |_| Reply::Nothing), host.serve(SECOND, |_| Reply::Nothing)];
    let search = vec!["lab.test".to_owned()];
    let timeout = Duration::from_millis(150);
    let resolver = host.resolver(Config { timeout, attempts: 3, search, ..config(&[SERVER, SECOND]) });
    let start = Instant::now();
    let error = failure(&resolver, "web").await;
    let elapsed = start.elapsed();
    assert_eq!((error.code().as_ref(), error.errno()), ("ETIMEOUT", None));
    assert_eq!(error.to_string(), "ETIMEOUT: no server answered in time, lookup 'web' at 127.0.0.1:53, 127.0.0.2:53");
    // Three attempts with both servers, for each of two names.
    assert!((timeout * 12..timeout * 20).contains(&elapsed), "{elapsed:?}");
    for server in servers {
        assert_eq!(server.names(), [["web.lab.test."; 6], ["web."; 6]].concat());
    }
}

#[tokio::test]
async fn a_silent_server_is_waited_for_over_tcp_once_and_no_longer() {
    let host = host();
    let _server = host.serve(SERVER, |_| Reply::Nothing);
    let timeout = Duration::from_millis(150);
    let resolver = host.resolver(Config { timeout, attempts: 2, tcp: true, ..config(&[SERVER]) });
    let start = Instant::now();
    assert_eq!(failure(&resolver, "web.").await.code(), "ETIMEOUT");
    assert!((timeout..timeout * 2).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_next_server_is_queried_after_one_that_fails_or_refuses() {
    for (reply, code) in [(ResponseCode::ServFail, "ESERVFAIL"), (ResponseCode::Refused, "EREFUSED")] {
        let host = host();
        let _first = host.serve(SERVER, move |_| Reply::Code(reply));
        let second = host.serve(SECOND, zone);
        let resolver = host.resolver(config(&[SERVER, SECOND]));
        assert_eq!(lookup(&resolver, "web.lab.test", Family::V4).await.len(), 2);
        assert_eq!(second.queries().len(), 1);
        let resolver = host.resolver(config(&[SERVER]));
        let error = failure(&resolver, "web.lab.test").await;
        assert_eq!(error.code(), code);
        assert!(matches!(error, Error::Server { answer, .. } if answer == u16::from(reply)));
    }
}

#[tokio::test]
async fn a_failure_for_one_family_is_ignored_if_the_other_has_addresses() {
    let host = host();
    let _server = host.serve(SERVER, |query| match query.kind {
        RecordType::A if query.name == "web.lab.test." => zone(query),
        RecordType::A => Reply::Records(Vec::new()),
        _ => Reply::Code(ResponseCode::ServFail),
    });
    let resolver = host.resolver(config(&[SERVER]));
    assert_eq!(lookup(&resolver, "web.lab.test", Family::Any).await.len(), 2);
    // The missing addresses of the other family count as an answer.
    assert_eq!(failure(&resolver, "none.lab.test").await.code(), "ENODATA");
}

#[tokio::test]
async fn other_messages_are_ignored_and_an_incomplete_answer_is_a_failure() {
    let (rubbish, hang_up) = (|| Reply::Rubbish, || Reply::HangUp);
    for (reply, tcp, code) in
        [(rubbish as fn() -> Reply, false, "ETIMEOUT"), (hang_up as fn() -> Reply, true, "EBADRESP")]
    {
        let host = host();
        let _first = host.serve(SERVER, move |_| reply());
        let timeout = Duration::from_millis(100);
        let resolver = host.resolver(Config { timeout, attempts: 1, tcp, ..config(&[SERVER]) });
        let error = resolver.lookup("web.lab.test", Family::V4).await.unwrap_err();
        assert_eq!(error.code(), code);
        let _second = host.serve(SECOND, zone);
        let resolver = host.resolver(Config { timeout, tcp, ..config(&[SERVER, SECOND]) });
        assert_eq!(lookup(&resolver, "web.lab.test", Family::V4).await.len(), 2);
    }
}

#[tokio::test]
async fn a_port_without_a_listener_costs_no_wait() {
    let host = host();
    let _second = host.serve(SECOND, zone);
    let resolver = host.resolver(Config { timeout: Duration::from_secs(20), ..config(&[SERVER, SECOND]) });
    let start = Instant::now();
    assert_eq!(lookup(&resolver, "web.lab.test", Family::Any).await.len(), 4);
    let resolver = host.resolver(Config { timeout: Duration::from_secs(20), ..config(&[SERVER]) });
    let error = failure(&resolver, "web.lab.test").await;
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!((error.code().as_ref(), error.errno()), ("ECONNREFUSED", Some(Errno::ECONNREFUSED)));
}

#[tokio::test]
async fn without_a_route_the_error_is_that_of_the_kernel() {
    let host = dark_host();
    let resolver = host.resolver(config(&[SERVER]));
    let error = failure(&resolver, "web.lab.test").await;
    assert_eq!(error.errno(), Some(Errno::ENETUNREACH));
    assert_eq!(
        error.to_string(),
        "ENETUNREACH: network is unreachable, connect, lookup 'web.lab.test' at 127.0.0.1:53"
    );
}

#[tokio::test]
async fn without_a_socket_the_lookup_ends() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&attempts);
    let maker = move |_, _, _| {
        count.fetch_add(1, Ordering::Relaxed);
        Err(io::Error::from_raw_os_error(libc::EPERM))
    };
    let resolver = Resolver::new(config(&[SERVER, SECOND]), maker);
    let error = resolver.lookup("web.lab.test", Family::V4).await.unwrap_err();
    assert!(matches!(error, Error::NoSocket(_)));
    assert_eq!((error.code().as_ref(), error.errno()), ("EPERM", Some(Errno::EPERM)));
    assert_eq!(attempts.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_lookup_may_run_on_any_thread() {
    fn may_move(_: &(impl Send + ?Sized)) {}
    let host = host();
    let resolver = host.resolver(config(&[SERVER]));
    may_move(&resolver);
    may_move(&resolver.lookup("web.lab.test", Family::Any));
}

#[tokio::test]
async fn servers_rotate_with_the_option() {
    let host = host();
    let servers = [host.serve(SERVER, zone), host.serve(SECOND, zone)];
    let resolver = host.resolver(Config { rotate: true, ..config(&[SERVER, SECOND]) });
    for _ in 0..4 {
        lookup(&resolver, "web.lab.test", Family::V4).await;
    }
    assert_eq!(servers.map(|server| server.queries().len()), [2, 2]);
}

#[tokio::test]
async fn known_names_are_not_queried() {
    let hosts = Hosts::parse("10.0.0.7 db\nfd00::7 db\n10.0.0.8 v4\n");
    let maker = |_, _, _| -> io::Result<_> { panic!("a socket is made") };
    let resolver = Resolver::new(Config { hosts, ..config(&[SERVER]) }, maker);
    assert_eq!(lookup(&resolver, "DB", Family::Any).await, ["10.0.0.7", "fd00::7"]);
    assert_eq!(lookup(&resolver, "v4", Family::V4).await, ["10.0.0.8"]);
    assert_eq!(lookup(&resolver, "localhost", Family::Any).await, ["127.0.0.1", "::1"]);
    assert_eq!(lookup(&resolver, "a.localhost.", Family::V6).await, ["::1"]);
    assert_eq!(lookup(&resolver, "10.0.0.9", Family::Any).await, ["10.0.0.9"]);
    assert_eq!(lookup(&resolver, "0x7f.1", Family::V4).await, ["127.0.0.1"]);
    let error = resolver.lookup("127.1", Family::V6).await.unwrap_err();
    assert_eq!(error.code(), "EAI_ADDRFAMILY");
    let mapped = Wanted { family: Family::V6, mapped: Mapped::Instead };
    assert_eq!(resolver.lookup("127.1", mapped).await.unwrap()[0].to_string(), "::ffff:127.0.0.1");
    assert_eq!(lookup(&resolver, "FD00::9", Family::Any).await, ["fd00::9"]);
    for name in ["", ".", "a..b", "a b", "bücher.example", "fe80::1%eth0", "a\n"] {
        let error = failure(&resolver, name).await;
        assert_eq!(error.code(), "EBADNAME", "{name:?}");
        assert!(!error.to_string().contains('\n'));
    }
}

#[tokio::test]
async fn without_servers_the_local_machine_is_queried() {
    let host = host();
    let server = host.serve(SERVER, zone);
    let resolver = host.resolver(Config { servers: Vec::new(), ..config(&[]) });
    assert_eq!(lookup(&resolver, "web.lab.test", Family::V4).await.len(), 2);
    assert_eq!(server.queries().len(), 1);
}

#[tokio::test]
async fn queries_cannot_be_guessed_and_forgeries_are_ignored() {
    let host = host();
    let server = host.serve(SERVER, |query| Reply::AfterForgery(vec![a(&query.name, "10.0.0.1")]));
    let resolver = host.resolver(config(&[SERVER]));
    for _ in 0..100 {
        assert_eq!(lookup(&resolver, "web.lab.test", Family::V4).await, ["10.0.0.1"]);
    }
    let queries = server.queries();
    let ids: HashSet<_> = queries.iter().map(|query| query.id).collect();
    let ports: HashSet<_> = queries.iter().map(|query| query.from.port()).collect();
    assert!(ids.len() > 90 && ports.len() > 90, "{} ids, {} ports", ids.len(), ports.len());
    let next =
        |pair: &[Query]| pair[1].id.wrapping_sub(pair[0].id) < 4 || pair[1].from.port() == pair[0].from.port() + 1;
    assert!(queries.windows(2).filter(|pair| next(pair)).count() < 5);
}

#[tokio::test]
async fn a_server_that_sends_much_without_an_answer_has_a_time_limit() {
    for (reply, tcp) in [
        ((|| Reply::Forgeries(5_000)) as fn() -> Reply, false),
        (|| Reply::Forgeries(5_000), true),
        (|| Reply::Half, true),
    ] {
        let host = host();
        let _server = host.serve(SERVER, move |_| reply());
        let timeout = Duration::from_millis(200);
        let resolver = host.resolver(Config { timeout, attempts: 1, tcp, ..config(&[SERVER]) });
        let start = Instant::now();
        assert_eq!(failure(&resolver, "web.").await.code(), "ETIMEOUT");
        assert!(start.elapsed() < timeout * 5, "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn an_answer_of_54_000_bytes_is_read() {
    let host = host();
    let last = |number: usize| format!("10.{}.{}.1", number / 256, number % 256);
    let _server = host.serve(SERVER, move |query| match query.transport {
        Transport::Udp => Reply::Truncated,
        Transport::Tcp => Reply::Records((0..2_000).map(|number| a(&query.name, &last(number))).collect()),
    });
    let resolver = host.resolver(config(&[SERVER]));
    let found = resolver.lookup("web.lab.test", Family::V4).await.unwrap();
    assert_eq!(found.len(), 2_000);
    // Sorting takes time for each address, so only the first ones are sorted.
    let start = Instant::now();
    let sorted = resolver.sort(found.clone(), &[]).await;
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert_eq!(sorted.len(), 2_000);
}

#[tokio::test]
async fn addresses_are_sorted_by_what_the_network_can_reach() {
    let host = host();
    let resolver = host.resolver(config(&[SERVER]));
    let all = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<std::net::IpAddr>>();
    let sorted = resolver.sort(all(&["10.0.0.1", "127.0.0.1", "fd00::1", "::1"]), &[]).await;
    assert_eq!(sorted, all(&["::1", "127.0.0.1", "fd00::1", "10.0.0.1"]));
    assert_eq!(resolver.sort(all(&["10.0.0.1"]), &[]).await, all(&["10.0.0.1"]));
}

#[tokio::test]
async fn only_the_server_inside_is_queried() {
    let outside = UdpSocket::bind("127.0.0.1:0").unwrap();
    outside.set_nonblocking(true).unwrap();
    let address = outside.local_addr().unwrap().to_string();
    let host = host();
    let resolver = host.resolver(config(&[&address]));
    // No server inside listens there yet.
    assert_eq!(failure(&resolver, "web.lab.test").await.code(), "ECONNREFUSED");
    let inside = host.serve(&address, zone);
    assert_eq!(lookup(&resolver, "web.lab.test", Family::Any).await.len(), 4);
    assert_eq!(inside.queries().len(), 2);
    assert_eq!(outside.recv(&mut [0; 1]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_network_of_a_user_namespace_does_as_well() {
    let host = host_of_user();
    let _server = host.serve(SERVER, zone);
    let resolver = host.resolver(config(&[SERVER]));
    assert_eq!(lookup(&resolver, "web.lab.test", Family::Any).await.len(), 4);
    let resolver = host.resolver(Config { tcp: true, ..config(&[SERVER]) });
    assert_eq!(lookup(&resolver, "web.lab.test", Family::Any).await.len(), 4);
}
