//! Addresses: nsset adds them and `ip` reads them, and the reverse.
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
use nsset_net::{AddressOptions, AddressSpec, Bridge, Error, LinkKind, LinkSpec, LinkState, Scope};
use serde_json::Value;

async fn host_with_bridge() -> Host {
    let host = host();
    let state = LinkState { up: Some(true), ..LinkState::default() };
    let spec = LinkSpec { state, ..LinkSpec::new("br0", LinkKind::Bridge(Bridge::default())) };
    host.network.links().add(&spec).await.unwrap();
    host
}

fn reported(host: &Host, local: &str) -> Value {
    let links = host.json("ip -json addr");
    let addresses = links.as_array().unwrap().iter().flat_map(|link| link["addr_info"].as_array().unwrap());
    addresses.clone().find(|address| address["local"] == local).cloned().unwrap_or_default()
}

#[tokio::test]
async fn addresses_are_added_listed_and_deleted() {
    let host = host_with_bridge().await;
    let addresses = host.network.addresses();
    let br0 = "br0".into();
    let first = AddressSpec { broadcast: Some("10.0.0.255".parse().unwrap()), ..address("10.0.0.1/24") };
    addresses.add(&br0, &first).await.unwrap();
    addresses.add(&br0, &AddressSpec { scope: Some(Scope::Link), ..address("10.1.0.1/16") }).await.unwrap();
    addresses
        .add(
            &br0,
            &AddressSpec {
                options: AddressOptions { no_duplicate_detection: true, ..AddressOptions::default() },
                ..address("fd00::1/64")
            },
        )
        .await
        .unwrap();
    addresses
        .add(&br0, &AddressSpec { peer: Some("10.2.0.2".parse().unwrap()), ..address("10.2.0.1/32") })
        .await
        .unwrap();
    addresses.add(&"lo".into(), &address("127.0.0.1/8")).await.unwrap();

    let one = reported(&host, "10.0.0.1");
    assert_eq!(
        (&one["prefixlen"], &one["broadcast"], &one["scope"]),
        (&24.into(), &"10.0.0.255".into(), &"global".into())
    );
    assert_eq!(reported(&host, "10.1.0.1")["scope"], "link");
    assert_eq!(reported(&host, "fd00::1")["prefixlen"], 64);
    assert_eq!(reported(&host, "10.2.0.1")["address"], "10.2.0.2");
    assert_eq!(reported(&host, "127.0.0.1")["scope"], "host");

    let mut own = addresses.list(Some(&br0)).await.unwrap();
    own.retain(|address| address.scope != Scope::Link || address.cidr.addr().is_ipv4());
    own.sort_by_key(|address| address.cidr.to_string());
    let text: Vec<_> = own.iter().map(|address| address.cidr.to_string()).collect();
    assert_eq!(text, ["10.0.0.1/24", "10.1.0.1/16", "10.2.0.1/32", "fd00::1/64"]);
    assert_eq!(own[0].broadcast, first.broadcast);
    assert_eq!(own[2].peer, Some("10.2.0.2".parse().unwrap()));
    assert!(own.iter().all(|address| address.permanent && !address.duplicate && !address.tentative));
    let all = addresses.list(None).await.unwrap();
    assert!(all.iter().any(|address| address.link == 1 && address.scope == Scope::Host));

    for cidr in ["10.0.0.1/24", "10.1.0.1/16", "fd00::1/64"] {
        addresses.delete(&br0, &address(cidr)).await.unwrap();
    }
    addresses
        .delete(&br0, &AddressSpec { peer: Some("10.2.0.2".parse().unwrap()), ..address("10.2.0.1/32") })
        .await
        .unwrap();
    for local in ["10.0.0.1", "10.1.0.1", "10.2.0.1", "fd00::1"] {
        assert_eq!(reported(&host, local), Value::Null);
    }
}

#[tokio::test]
async fn addresses_of_ip_are_read() {
    let host = host_with_bridge().await;
    host.must("ip addr add 192.0.2.1/28 brd + dev br0 label br0:x");
    host.must("ip addr add fd00::1 peer fd00::2/64 dev br0");
    let addresses = host.network.addresses().list(Some(&"br0".into())).await.unwrap();
    let v4 = addresses.iter().find(|address| address.cidr.to_string() == "192.0.2.1/28").unwrap();
    assert_eq!((v4.broadcast, v4.label.as_deref()), (Some("192.0.2.15".parse().unwrap()), Some("br0:x")));
    let v6 = addresses.iter().find(|address| address.cidr.to_string() == "fd00::1/64").unwrap();
    assert_eq!(v6.peer, Some("fd00::2".parse().unwrap()));
    assert!(v6.tentative, "duplicate address detection has not finished");
}

#[tokio::test]
async fn errors_name_the_request_and_the_remedy() {
    let host = host_with_bridge().await;
    let addresses = host.network.addresses();
    let br0 = "br0".into();
    addresses.add(&br0, &address("10.0.0.1/24")).await.unwrap();
    let error = addresses.add(&br0, &address("10.0.0.1/24")).await.unwrap_err();
    assert!(error.to_string().starts_with("EEXIST: file exists, RTM_NEWADDR 10.0.0.1/24 of link 'br0'"), "{error}");
    let error = addresses.delete(&br0, &address("10.0.0.2/24")).await.unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EADDRNOTAVAIL));
    assert!(error.to_string().ends_with("the link does not have the address"), "{error}");
    let error = addresses.add(&"missing".into(), &address("10.0.0.1/24")).await.unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENODEV));
    let error = addresses.list(Some(&99.into())).await.unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENODEV));
    let mixed = AddressSpec { peer: Some("fd00::1".parse().unwrap()), ..address("10.0.0.3/24") };
    assert!(matches!(addresses.add(&br0, &mixed).await, Err(Error::InvalidArgument(_))));
    let loud = AddressSpec { broadcast: Some("10.0.0.255".parse().unwrap()), ..address("fd00::9/64") };
    assert!(matches!(addresses.add(&br0, &loud).await, Err(Error::InvalidArgument(_))));
}
