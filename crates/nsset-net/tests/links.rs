//! Links: nsset creates them and iproute2 reads them, and the reverse.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod lab;

use std::{os::fd::AsFd, time::Duration};

use futures_util::FutureExt;
use lab::{Lab, address, has, host};
use nix::errno::Errno;
use nsset_net::{
    Bridge, Error, Link, LinkChanges, LinkKind, LinkRef, LinkSpec, LinkState, MacVlan, MacVlanMode, Master, Network,
    VethPeer, Vxlan,
};

fn bridge(name: &str) -> LinkSpec {
    LinkSpec::new(name, LinkKind::Bridge(Bridge::default()))
}

fn veth(name: &str, peer: &str) -> LinkSpec {
    let peer = VethPeer { name: Some(peer.into()), ..VethPeer::default() };
    LinkSpec { peer: Some(peer), ..LinkSpec::new(name, LinkKind::Veth) }
}

async fn get(network: &Network, name: &str) -> Link {
    network.links().get(&name.into()).await.unwrap()
}

/// Waits until a link runs, which it does shortly after both ends are up.
async fn until_running(network: &Network, name: &str) {
    for _ in 0..200 {
        if get(network, name).await.running {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{name} does not run");
}

#[tokio::test]
async fn a_new_network_has_lo() {
    let host = host();
    let links = host.network.links().list().await.unwrap();
    let names: Vec<_> = links.iter().map(|link| link.name.clone()).collect();
    assert_eq!(names, host.all_link_names());
    let lo = &links[0];
    assert_eq!((lo.name.as_str(), lo.index, lo.mtu, lo.up), ("lo", 1, 65536, false));
    assert_eq!(lo.kind, LinkKind::Loopback);
}

#[tokio::test]
async fn a_bridge_has_the_settings_of_its_specification() {
    let host = host();
    let spec = LinkSpec {
        state: LinkState {
            alias: Some("the switch".into()),
            mac: Some("02:00:00:00:00:01".parse().unwrap()),
            mtu: Some(1400),
            up: Some(true),
            promiscuous: Some(true),
            addresses: vec![address("10.0.0.1/24"), address("fd00::1/64")],
            master: None,
            ..LinkState::default()
        },
        ..LinkSpec::new(
            "br0",
            LinkKind::Bridge(Bridge {
                stp: Some(true.into()),
                forward_delay: Some(Duration::from_secs(4).into()),
                hello_time: Some(Duration::from_secs(1).into()),
                max_age: Some(Duration::from_secs(10).into()),
                ageing_time: Some(Duration::from_secs(60).into()),
                priority: Some(4096),
                multicast_snooping: Some(false),
                ..Bridge::default()
            }),
        )
    };
    let link = host.network.links().add(&spec).await.unwrap();
    assert_eq!(link.alias.as_deref(), Some("the switch"));
    assert!(link.up && link.promiscuous);

    let reported = host.ip_link("br0");
    assert_eq!(reported["ifindex"], link.index);
    assert_eq!(reported["address"], "02:00:00:00:00:01");
    assert_eq!(reported["ifalias"], "the switch");
    assert_eq!(reported["mtu"], 1400);
    assert!(has(&reported["flags"], "UP") && has(&reported["flags"], "PROMISC"));
    assert_eq!(reported["linkinfo"]["info_kind"], "bridge");
    let data = &reported["linkinfo"]["info_data"];
    for (field, value) in [
        ("stp_state", 1),
        ("forward_delay", 400),
        ("hello_time", 100),
        ("max_age", 1000),
        ("ageing_time", 6000),
        ("priority", 4096),
        ("mcast_snooping", 0),
    ] {
        assert_eq!(data[field], value, "{field}");
    }
    let LinkKind::Bridge(read) = link.kind else { panic!("{:?}", link.kind) };
    let LinkKind::Bridge(made) = spec.kind else { unreachable!() };
    let given = Bridge {
        forward_delay: made.forward_delay,
        hello_time: made.hello_time,
        max_age: made.max_age,
        ageing_time: made.ageing_time,
        stp: made.stp,
        priority: made.priority,
        multicast_snooping: made.multicast_snooping,
        ..read.clone()
    };
    assert_eq!(read, given);

    let addresses = host.json("ip -json addr show dev br0");
    let addresses = addresses[0]["addr_info"].as_array().unwrap();
    assert!(addresses.iter().any(|address| address["local"] == "10.0.0.1" && address["prefixlen"] == 24));
    assert!(addresses.iter().any(|address| address["local"] == "fd00::1" && address["prefixlen"] == 64));
}

#[tokio::test]
async fn both_ends_of_a_veth_are_created_in_one_step_in_their_networks() {
    let lab = Lab::new();
    let (here, there) = (lab.host(), lab.host());
    there.network.links().add(&bridge("br0")).await.unwrap();
    let mut spec = veth("left", "right");
    spec.state.up = Some(true);
    let peer = spec.peer.as_mut().unwrap();
    peer.network = Some(there.network.clone());
    peer.state = LinkState {
        alias: Some("the far end".into()),
        mac: Some("02:00:00:00:00:02".parse().unwrap()),
        mtu: Some(1300),
        up: Some(true),
        promiscuous: Some(true),
        master: Some(Master::Link("br0".into())),
        addresses: vec![address("10.0.0.2/24")],
        ..LinkState::default()
    };
    let left = here.network.links().add(&spec).await.unwrap();
    let right = get(&there.network, "right").await;

    assert_eq!(left.kind, LinkKind::Veth);
    assert_eq!(left.peer.unwrap().index, right.index);
    assert_eq!(right.peer.unwrap().index, left.index);
    assert!(left.peer.unwrap().netns_id.is_some());
    until_running(&here.network, "left").await;

    let reported = there.ip_link("right");
    assert_eq!(reported["address"], "02:00:00:00:00:02");
    assert_eq!(reported["ifalias"], "the far end");
    assert_eq!(reported["mtu"], 1300);
    assert_eq!(reported["master"], "br0");
    assert!(has(&reported["flags"], "PROMISC"));
    assert_eq!(there.json("ip -json addr show dev right")[0]["addr_info"][0]["local"], "10.0.0.2");
    assert_eq!(here.link_names(), ["left"]);
}

#[tokio::test]
async fn the_kernel_names_the_peer_of_a_veth_in_one_network() {
    let host = host();
    let left = host.network.links().add(&LinkSpec::new("left", LinkKind::Veth)).await.unwrap();
    let other = host.network.links().get(&LinkRef::Index(left.peer.unwrap().index)).await.unwrap();
    assert_eq!(left.peer.unwrap().netns_id, None);
    assert!(other.name.starts_with("veth"), "{}", other.name);
}

#[tokio::test]
async fn vxlan_and_macvlan_have_the_settings_of_their_specifications() {
    let host = host();
    host.network.links().add(&veth("left", "right")).await.unwrap();
    let vxlan = Vxlan {
        group: Some("239.1.1.1".parse().unwrap()),
        id: 42,
        local: Some("192.0.2.1".parse().unwrap()),
        remote: None,
        port: Some(4789),
        ttl: Some(5),
        learning: Some(false),
        ageing_time: Some(Duration::from_secs(120)),
        ..Vxlan::default()
    };
    let spec = LinkSpec { dev: Some("left".into()), ..LinkSpec::new("vx0", LinkKind::Vxlan(vxlan.clone())) };
    let link = host.network.links().add(&spec).await.unwrap();
    let LinkKind::Vxlan(found) = link.kind else { panic!() };
    assert_eq!(Vxlan { options: vxlan.options.clone(), ..found }, vxlan);
    assert_eq!(link.dev.unwrap().index, get(&host.network, "left").await.index);
    let reported = &host.ip_link("vx0")["linkinfo"]["info_data"];
    assert_eq!(reported["id"], 42);
    assert_eq!(reported["local"], "192.0.2.1");
    assert_eq!(reported["group"], "239.1.1.1");
    assert_eq!(reported["port"], 4789);
    assert_eq!(reported["ttl"], 5);
    assert_eq!(reported["link"], "left");
    assert_eq!(reported["learning"], false);
    assert_eq!(reported["ageing"], 120);

    for (mode, word) in [(MacVlanMode::Bridge, "bridge"), (MacVlanMode::Private, "private")] {
        let kind = LinkKind::MacVlan(MacVlan { mode: Some(mode), ..MacVlan::default() });
        let spec = LinkSpec { dev: Some("right".into()), ..LinkSpec::new(word, kind.clone()) };
        let link = host.network.links().add(&spec).await.unwrap();
        let LinkKind::MacVlan(found) = link.kind else { panic!() };
        assert_eq!(found.mode, Some(mode));
        assert_eq!(link.dev.unwrap().index, get(&host.network, "right").await.index);
        let reported = host.ip_link(word);
        assert_eq!(reported["linkinfo"]["info_data"]["mode"], word);
        assert_eq!(reported["link"], "right");
    }
    host.network.links().add(&LinkSpec::new("ifb7", LinkKind::Ifb)).await.unwrap();
    assert_eq!(host.ip_link("ifb7")["linkinfo"]["info_kind"], "ifb");
}

#[tokio::test]
async fn links_of_ip_are_read() {
    let host = host();
    host.must("ip link add left address 02:00:00:00:00:07 mtu 1234 type veth peer name right");
    host.must("ip link add br7 type bridge ageing_time 3000 stp_state 1");
    host.must("ip link set left master br7 up promisc on alias seven");
    host.must("ip link add vx7 type vxlan id 7 remote fd00::7 dstport 1 dev right");
    host.must("ip link add mv7 link right type macvlan mode passthru");
    let left = get(&host.network, "left").await;
    assert_eq!(left.mac.unwrap().to_string(), "02:00:00:00:00:07");
    assert_eq!((left.mtu, left.alias.as_deref(), left.up), (1234, Some("seven"), true));
    assert!(left.promiscuous);
    let br7 = get(&host.network, "br7").await;
    assert_eq!(left.master, Some(br7.index));
    let LinkKind::Bridge(bridge) = br7.kind else { panic!() };
    assert_eq!((bridge.stp, bridge.ageing_time), (Some(true.into()), Some(Duration::from_secs(30).into())));
    let vx7 = get(&host.network, "vx7").await;
    let LinkKind::Vxlan(vxlan) = vx7.kind else { panic!() };
    assert_eq!((vxlan.id, vxlan.port, vxlan.remote), (7, Some(1), Some("fd00::7".parse().unwrap())));
    let mv7 = get(&host.network, "mv7").await;
    let LinkKind::MacVlan(macvlan) = mv7.kind else { panic!() };
    assert_eq!(macvlan.mode, Some(MacVlanMode::Passthrough));
    assert_eq!(host.link_names().len(), 5);
}

#[tokio::test]
async fn a_link_is_changed_by_name_index_and_alias() {
    let host = host();
    let links = host.network.links();
    let link = links.add(&bridge("br0")).await.unwrap();
    let up = LinkChanges { state: LinkState { up: Some(true), ..LinkState::default() }, ..LinkChanges::default() };
    links.set(&"br0".into(), &up).await.unwrap();
    assert!(has(&host.ip_link("br0")["flags"], "UP"));
    let everything = LinkChanges {
        name: Some("br1".into()),
        state: LinkState {
            alias: Some("one".into()),
            mac: Some("02:00:00:00:00:09".parse().unwrap()),
            mtu: Some(1280),
            up: Some(false),
            promiscuous: Some(true),
            master: Some(Master::None),
            addresses: vec![address("192.0.2.1/24")],
            ..LinkState::default()
        },
        ..LinkChanges::default()
    };
    links.set(&link.reference(), &everything).await.unwrap();
    let reported = host.ip_link("br1");
    assert_eq!((&reported["ifalias"], &reported["mtu"]), (&"one".into(), &1280.into()));
    assert_eq!(reported["address"], "02:00:00:00:00:09");
    assert!(!has(&reported["flags"], "UP") && has(&reported["flags"], "PROMISC"));
    assert_eq!(host.json("ip -json addr show dev br1")[0]["addr_info"][0]["local"], "192.0.2.1");

    links.set(&LinkRef::Alias("one".into()), &up).await.unwrap();
    assert!(links.get(&LinkRef::Alias("one".into())).await.unwrap().up);
    let plain = LinkState { alias: Some(String::new()), ..LinkState::default() };
    links.set(&"br1".into(), &LinkChanges { state: plain, ..LinkChanges::default() }).await.unwrap();
    assert_eq!(get(&host.network, "br1").await.alias, None);
}

#[tokio::test]
async fn a_port_joins_its_master_and_leaves_it() {
    let host = host();
    let links = host.network.links();
    let br0 = links.add(&bridge("br0")).await.unwrap();
    let mut spec = veth("left", "right");
    spec.state.master = Some(Master::Link("br0".into()));
    assert_eq!(links.add(&spec).await.unwrap().master, Some(br0.index));
    let leave = LinkState { master: Some(Master::None), ..LinkState::default() };
    links.set(&"left".into(), &LinkChanges { state: leave, ..LinkChanges::default() }).await.unwrap();
    assert!(host.ip_link("left").get("master").is_none());
}

#[tokio::test]
async fn a_change_that_fails_leaves_the_link_as_it_was() {
    let host = host();
    let links = host.network.links();
    links.add(&bridge("taken")).await.unwrap();
    links.add(&veth("left", "right")).await.unwrap();
    let before = host.ip_link("left");
    // The kernel changes the MTU before the name.
    let state = LinkState { mtu: Some(1234), mac: Some("02:00:00:00:00:05".parse().unwrap()), ..LinkState::default() };
    let error = links
        .set(&"left".into(), &LinkChanges { name: Some("taken".into()), state, ..LinkChanges::default() })
        .await
        .unwrap_err();
    assert!(error.to_string().starts_with("EEXIST: file exists, RTM_SETLINK 'left'"), "{error}");
    assert_eq!(host.ip_link("left"), before);

    let state = LinkState {
        up: Some(true),
        addresses: vec![address("10.9.9.9/24"), address("ff02::1/64")],
        ..LinkState::default()
    };
    links.set(&"left".into(), &LinkChanges { state, ..LinkChanges::default() }).await.unwrap_err();
    assert_eq!(host.ip_link("left")["flags"], before["flags"]);
    assert_eq!(host.json("ip -json addr show dev left")[0]["addr_info"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_link_whose_addresses_fail_does_not_stay() {
    let lab = Lab::new();
    let (here, there) = (lab.host(), lab.host());
    // A link cannot have a multicast address: ipv6_add_addr() of net/ipv6/addrconf.c.
    let wrong = address("ff02::1/64");
    let mut spec = bridge("br0");
    spec.state.addresses = vec![address("10.0.0.1/24"), wrong.clone()];
    let error = here.network.links().add(&spec).await.unwrap_err();
    assert!(error.to_string().contains("ff02::1/64"), "{error}");

    let mut spec = veth("left", "right");
    let peer = spec.peer.as_mut().unwrap();
    peer.network = Some(there.network.clone());
    peer.state.addresses = vec![wrong.clone()];
    here.network.links().add(&spec).await.unwrap_err();
    peer_of(&mut spec).state = LinkState { master: Some(Master::Link("br9".into())), ..LinkState::default() };
    let error = here.network.links().add(&spec).await.unwrap_err();
    assert!(error.to_string().starts_with("ENODEV: no such device, RTM_GETLINK 'br9'"), "{error}");

    assert!(here.link_names().is_empty() && there.link_names().is_empty());
}

fn peer_of(spec: &mut LinkSpec) -> &mut VethPeer {
    spec.peer.as_mut().unwrap()
}

#[tokio::test]
async fn ensure_creates_a_link_once() {
    let host = host();
    let links = host.network.links();
    let mut spec = bridge("br0");
    let first = links.ensure(&spec).await.unwrap();
    spec.state = LinkState { up: Some(true), addresses: vec![address("10.0.0.1/24")], ..LinkState::default() };
    for _ in 0..2 {
        let again = links.ensure(&spec).await.unwrap();
        assert_eq!((again.index, again.up), (first.index, true));
    }
    let error = links.ensure(&veth("br0", "right")).await.unwrap_err();
    assert!(error.to_string().ends_with("it is a bridge, not a veth"), "{error}");
    assert_eq!(host.link_names(), ["br0"]);

    let vxlan = |id, ttl| LinkSpec::new("vx0", LinkKind::Vxlan(Vxlan { id, ttl, ..Vxlan::default() }));
    links.ensure(&vxlan(7, Some(9))).await.unwrap();
    links.ensure(&vxlan(7, None)).await.unwrap();
    for other in [vxlan(8, None), vxlan(7, Some(8))] {
        let error = links.ensure(&other).await.unwrap_err();
        assert!(error.to_string().ends_with("it is a vxlan, but with other settings"), "{error}");
    }
    // The name is free, but that of the peer is not.
    let error = links.ensure(&veth("left", "br0")).await.unwrap_err();
    assert!(error.to_string().starts_with("EEXIST: file exists, RTM_NEWLINK 'left'"), "{error}");
    let elsewhere = LinkSpec { dev: Some("br0".into()), ..vxlan(7, None) };
    let error = links.ensure(&elsewhere).await.unwrap_err();
    assert!(error.to_string().ends_with("it was created on another device"), "{error}");
}

#[tokio::test]
async fn a_link_is_deleted_and_moved() {
    let lab = Lab::new();
    let (here, there) = (lab.host(), lab.host());
    let links = here.network.links();
    links.add(&veth("left", "right")).await.unwrap();
    links.move_to(&"right".into(), there.network.namespace().unwrap().as_fd()).await.unwrap();
    assert_eq!((here.link_names(), there.link_names()), (vec!["left".to_owned()], vec!["right".to_owned()]));
    links.delete(&"left".into(), false).await.unwrap();
    assert!(here.link_names().is_empty() && there.link_names().is_empty());
    let error = links.delete(&"left".into(), false).await.unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENODEV));
    links.delete(&"left".into(), true).await.unwrap();
}

#[tokio::test]
async fn an_alias_of_several_links_is_ambiguous() {
    let host = host();
    let links = host.network.links();
    for name in ["one", "two"] {
        let state = LinkState { alias: Some("same".into()), ..LinkState::default() };
        links.add(&LinkSpec { state, ..bridge(name) }).await.unwrap();
    }
    let error = links.delete(&LinkRef::Alias("same".into()), true).await.unwrap_err();
    assert!(matches!(&error, Error::Ambiguous { links, .. } if links == &["one", "two"]));
    assert_eq!(error.to_string(), "several links have the alias 'same': one, two");
    let error = links.get(&LinkRef::Alias("none".into())).await.unwrap_err();
    assert!(error.to_string().starts_with("ENODEV: no such device, RTM_GETLINK alias 'none'"), "{error}");
}

#[tokio::test]
async fn errors_name_the_request_and_the_remedy() {
    let host = host();
    let links = host.network.links();
    let error = links.get(&"missing".into()).await.unwrap_err();
    assert!(error.to_string().starts_with("ENODEV: no such device, RTM_GETLINK 'missing'"), "{error}");
    links.add(&bridge("br0")).await.unwrap();
    let error = links.add(&bridge("br0")).await.unwrap_err();
    assert!(error.to_string().starts_with("EEXIST: file exists, RTM_NEWLINK 'br0'"), "{error}");
    let master = LinkState { master: Some(Master::Link("br0".into())), ..LinkState::default() };
    let error = links.set(&"br0".into(), &LinkChanges { state: master, ..LinkChanges::default() }).await.unwrap_err();
    assert!(error.to_string().contains("(\"Can not enslave a bridge to a bridge\")"), "{error}");
    let tiny = LinkState { mtu: Some(1), ..LinkState::default() };
    let error = links.set(&"br0".into(), &LinkChanges { state: tiny, ..LinkChanges::default() }).await.unwrap_err();
    assert!(error.to_string().contains("mtu less than device minimum"), "{error}");
}

#[tokio::test]
async fn a_dump_passes_on_each_link_of_the_list() {
    let host = host();
    for index in 0..40 {
        host.network.links().add(&veth(&format!("a{index}"), &format!("b{index}"))).await.unwrap();
    }
    let mut each = Vec::new();
    assert!(host.network.links().each(|link| each.push(link)).await.unwrap());
    assert_eq!(each, host.network.links().list().await.unwrap());
    let names: Vec<_> = each.into_iter().map(|link| link.name).collect();
    assert_eq!(names, host.all_link_names());
}

#[test]
fn a_thread_that_may_block_needs_no_runtime() {
    let host = lab::blocking_host();
    let links = host.network.links();
    let made = links.add(&bridge("br0")).now_or_never().unwrap().unwrap();
    let up = LinkState { up: Some(true), ..LinkState::default() };
    links.set(&made.reference(), &LinkChanges { state: up, ..LinkChanges::default() }).now_or_never().unwrap().unwrap();
    assert!(has(&host.ip_link("br0")["flags"], "UP"));
    let missing = links.get(&"none0".into()).now_or_never().unwrap().unwrap_err();
    assert_eq!(missing.errno(), Some(Errno::ENODEV));
}
