//! Routes: nsset adds them and `ip` reads them, and the reverse.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod lab;

use lab::{Host, address, host};
use nix::errno::Errno;
use nsset_net::{Bridge, IpNet, LinkKind, LinkSpec, LinkState, Route, RouteKind, RouteSpec, Scope};
use serde_json::{Value, from_value, json};

async fn host_with_bridge() -> Host {
    let host = host();
    let addresses = ["10.0.0.1/24", "fd00::1/64"].map(address).to_vec();
    let state = LinkState { up: Some(true), addresses, ..LinkState::default() };
    let spec = LinkSpec { state, ..LinkSpec::new("br0", LinkKind::Bridge(Bridge::default())) };
    host.network.links().add(&spec).await.unwrap();
    host
}

/// Converts the plain data of a route, as it comes from JavaScript.
fn route(data: Value) -> RouteSpec {
    from_value(data).unwrap()
}

async fn main_routes(host: &Host) -> Vec<Route> {
    host.network.routes().list(Some(254)).await.unwrap()
}

#[tokio::test]
async fn routes_are_added_listed_and_deleted() {
    let host = host_with_bridge().await;
    let routes = host.network.routes();
    let br0 = json!({ "name": "br0" });
    let all = [
        json!({ "destination": "0.0.0.0/0", "via": "10.0.0.254" }),
        json!({ "destination": "192.0.2.0/24", "dev": br0, "metric": 77, "source": "10.0.0.1" }),
        json!({ "destination": "198.51.100.0/24", "dev": br0, "table": 1000 }),
        json!({ "destination": "203.0.113.0/24", "type": "blackhole" }),
        json!({ "destination": "172.16.0.0/12", "dev": br0, "via": "10.9.9.9", "onLink": true }),
        json!({ "destination": "::/0", "via": "fd00::fe" }),
        json!({ "destination": "10.8.0.0/16", "dev": br0, "via": "fd00::fe" }),
    ]
    .map(route);
    for route in &all {
        routes.add(route).await.unwrap();
    }

    let reported = host.json("ip -json -details route show table all");
    let reported = |destination: &str| {
        let found = reported.as_array().unwrap().iter().find(|route| route["dst"] == destination);
        found.cloned().unwrap_or_else(|| panic!("{destination}: {reported}"))
    };
    assert_eq!(
        (&reported("default")["gateway"], &reported("default")["protocol"]),
        (&"10.0.0.254".into(), &"boot".into())
    );
    let metric = reported("192.0.2.0/24");
    assert_eq!(
        (&metric["metric"], &metric["prefsrc"], &metric["scope"]),
        (&77.into(), &"10.0.0.1".into(), &"link".into())
    );
    assert_eq!(reported("198.51.100.0/24")["table"], "1000");
    assert_eq!(reported("203.0.113.0/24")["type"], "blackhole");
    assert_eq!(reported("172.16.0.0/12")["flags"][0], "onlink");
    assert_eq!(reported("10.8.0.0/16")["via"]["host"], "fd00::fe");
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
async fn routes_of_ip_are_read() {
    let host = host_with_bridge().await;
    host.must("ip route add 192.0.2.0/25 via 10.0.0.9 metric 5");
    host.must("ip -6 route add unreachable 2001:db8::/32");
    let routes = main_routes(&host).await;
    let find = |text: &str| {
        let destination: IpNet = text.parse().unwrap();
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
async fn errors_name_the_request_and_the_remedy() {
    let host = host_with_bridge().await;
    let routes = host.network.routes();
    let error = routes.add(&route(json!({ "destination": "10.0.0.1/24" }))).await.unwrap_err();
    assert_eq!(error.to_string(), "10.0.0.1/24 is not a network: bits behind the prefix are set; 10.0.0.0/24 is");
    let far = route(json!({ "destination": "0.0.0.0/0", "via": "192.0.2.1" }));
    let error = routes.add(&far).await.unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENETUNREACH));
    assert_eq!(
        error.to_string(),
        "ENETUNREACH: network is unreachable, RTM_NEWROUTE default via 192.0.2.1 (\"Nexthop has invalid gateway\"): \
         the gateway cannot be reached: its device must be up and have an address in the gateway's network"
    );
    let error = routes.delete(&route(json!({ "destination": "192.0.2.0/24" }))).await.unwrap_err();
    assert!(error.to_string().starts_with("ESRCH: no such process, RTM_DELROUTE 192.0.2.0/24"), "{error}");
    let near = route(json!({ "destination": "192.0.2.0/24", "dev": { "name": "br0" } }));
    routes.add(&near).await.unwrap();
    assert_eq!(routes.add(&near).await.unwrap_err().errno(), Some(Errno::EEXIST));
}

#[tokio::test]
async fn a_dump_passes_on_each_route_of_a_table() {
    let host = host_with_bridge().await;
    host.must("ip route add 198.51.100.0/24 dev br0 table 1000");
    for table in [None, Some(254), Some(1000)] {
        let mut each = Vec::new();
        assert!(host.network.routes().each(table, |route| each.push(route)).await.unwrap());
        let all = host.network.routes().list(table).await.unwrap();
        assert!(each.iter().all(|route| all.contains(route)), "{each:?} {all:?}");
        assert_eq!(each.len(), all.len());
    }
}
