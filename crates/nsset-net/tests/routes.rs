//! Routes: we add and `ip` reads, and the other way round.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod lab;

use lab::{Host, host};
use nix::errno::Errno;
use nsset_net::{Bridge, Cidr, LinkKind, LinkSpec, LinkState, Route, RouteKind, RouteSpec, Scope};

async fn host_with_bridge() -> Host {
    let host = host();
    let addresses = ["10.0.0.1/24", "fd00::1/64"].map(|text| text.parse().unwrap()).to_vec();
    let state = LinkState { up: Some(true), addresses, ..LinkState::default() };
    let spec = LinkSpec { state, ..LinkSpec::new("br0", LinkKind::Bridge(Bridge::default())) };
    host.network.links().add(&spec).await.unwrap();
    host
}

fn to(text: &str) -> RouteSpec {
    RouteSpec::to(text.parse().unwrap())
}

async fn main_routes(host: &Host) -> Vec<Route> {
    host.network.routes().list(Some(254)).await.unwrap()
}

#[tokio::test]
async fn routes_are_added_listed_and_deleted() {
    let host = host_with_bridge().await;
    let routes = host.network.routes();
    let gateway = RouteSpec::by_default_via("10.0.0.254".parse().unwrap());
    let with_metric = RouteSpec {
        metric: Some(77),
        source: Some("10.0.0.1".parse().unwrap()),
        ..to("192.0.2.0/24").dev("br0".into())
    };
    let elsewhere = RouteSpec { table: Some(1000), ..to("198.51.100.0/24").dev("br0".into()) };
    let hole = RouteSpec { kind: Some(RouteKind::Blackhole), ..to("203.0.113.0/24") };
    let far = RouteSpec {
        gateway: Some("10.9.9.9".parse().unwrap()),
        on_link: true,
        ..to("172.16.0.0/12").dev("br0".into())
    };
    let six = RouteSpec::by_default_via("fd00::fe".parse().unwrap());
    let mixed = RouteSpec { gateway: Some("fd00::fe".parse().unwrap()), ..to("10.8.0.0/16").dev("br0".into()) };
    let all = [gateway, with_metric, elsewhere, hole, far, six, mixed];
    for route in &all {
        routes.add(route).await.unwrap();
    }

    let told = host.json("ip -json -details route show table all");
    let told = |destination: &str| {
        let found = told.as_array().unwrap().iter().find(|route| route["dst"] == destination);
        found.cloned().unwrap_or_else(|| panic!("{destination}: {told}"))
    };
    assert_eq!((&told("default")["gateway"], &told("default")["protocol"]), (&"10.0.0.254".into(), &"boot".into()));
    let metric = told("192.0.2.0/24");
    assert_eq!(
        (&metric["metric"], &metric["prefsrc"], &metric["scope"]),
        (&77.into(), &"10.0.0.1".into(), &"link".into())
    );
    assert_eq!(told("198.51.100.0/24")["table"], "1000");
    assert_eq!(told("203.0.113.0/24")["type"], "blackhole");
    assert_eq!(told("172.16.0.0/12")["flags"][0], "onlink");
    assert_eq!(told("10.8.0.0/16")["via"]["host"], "fd00::fe");
    assert_eq!(host.json("ip -json -6 route show default")[0]["gateway"], "fd00::fe");

    let listed = routes.list(None).await.unwrap();
    for spec in &all {
        let destination = spec.destination;
        let table = spec.table.unwrap_or(254);
        let is_it = |route: &&Route| route.destination == destination && route.table == table;
        let route = listed.iter().find(is_it).unwrap_or_else(|| panic!("{destination}"));
        assert_eq!(
            (route.gateway, route.kind, route.source),
            (spec.gateway, spec.kind.unwrap_or_default(), spec.source)
        );
        assert!(spec.metric.is_none_or(|metric| route.metric == Some(metric)));
    }
    for route in &all {
        routes.delete(route).await.unwrap();
    }
    let left: Vec<_> = main_routes(&host).await.into_iter().filter(|route| route.protocol != 2).collect();
    assert_eq!(left, []);
}

#[tokio::test]
async fn what_ip_adds_is_read() {
    let host = host_with_bridge().await;
    host.must("ip route add 192.0.2.0/25 via 10.0.0.9 metric 5");
    host.must("ip -6 route add unreachable 2001:db8::/32");
    let routes = main_routes(&host).await;
    let find = |text: &str| {
        let destination: Cidr = text.parse().unwrap();
        routes.iter().find(|route| route.destination == destination).unwrap()
    };
    let br0 = host.network.links().get(&"br0".into()).await.unwrap().index;
    let via = find("192.0.2.0/25");
    assert_eq!((via.gateway, via.dev, via.metric), (Some("10.0.0.9".parse().unwrap()), Some(br0), Some(5)));
    assert_eq!(find("2001:db8::/32").kind, RouteKind::Unreachable);
    let own = find("10.0.0.0/24");
    assert_eq!((own.scope, own.protocol), (Scope::Link, 2));
    let local = host.network.routes().list(Some(255)).await.unwrap();
    assert!(local.iter().any(|route| route.kind == RouteKind::Local && route.scope == Scope::Host));
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let host = host_with_bridge().await;
    let routes = host.network.routes();
    let error = routes.add(&to("10.0.0.1/24")).await.unwrap_err();
    assert_eq!(error.to_string(), "10.0.0.1/24 is not a network: bits behind the prefix are set; 10.0.0.0/24 is");
    let error = routes.add(&RouteSpec::by_default_via("192.0.2.1".parse().unwrap())).await.unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENETUNREACH));
    assert_eq!(
        error.to_string(),
        "ENETUNREACH: network is unreachable, RTM_NEWROUTE default via 192.0.2.1 (\"Nexthop has invalid gateway\"): \
         the gateway cannot be reached: its device has to be up, with an address of the gateway's network"
    );
    let error = routes.delete(&to("192.0.2.0/24")).await.unwrap_err();
    assert!(error.to_string().starts_with("ESRCH: no such process, RTM_DELROUTE 192.0.2.0/24"), "{error}");
    let route = to("192.0.2.0/24").dev("br0".into());
    routes.add(&route).await.unwrap();
    assert_eq!(routes.add(&route).await.unwrap_err().errno(), Some(Errno::EEXIST));
}
