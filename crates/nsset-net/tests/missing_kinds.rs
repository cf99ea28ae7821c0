//! Kinds of links that a kernel may lack: if it has them, they are created and read again; if not, the error says so.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod lab;

use std::time::Duration;

use lab::host;
use nix::errno::Errno;
use nsset_net::{
    Bond, BondMode, Bridge, Error, Geneve, Gre, GreTunnel, IpVlan, IpVlanIsolation, IpVlanMode, Ipip, LinkKind,
    LinkSpec, Specified, Vlan, VlanProtocol, Vrf,
};

/// Fields of a link in the output of `ip`, and their values in JSON.
type Details = &'static [(&'static str, &'static str)];

/// Every kind that a small kernel may lack, with its module and fields of `ip`.
fn kinds() -> Vec<(LinkKind, &'static str, Details)> {
    let tunnel = GreTunnel {
        local: Some(Specified("192.0.2.1".parse().unwrap())),
        remote: Some(Specified("192.0.2.2".parse().unwrap())),
        ttl: Some(9),
        ..GreTunnel::default()
    };
    let ipip = Ipip { local: tunnel.local, remote: tunnel.remote, ttl: tunnel.ttl, ..Ipip::default() };
    let gre = Gre { tunnel, key: Some(7), ..Gre::default() };
    let geneve = Geneve {
        id: 42,
        remote: Some("192.0.2.2".parse().unwrap()),
        port: Some(6082),
        ttl: Some(9),
        ..Geneve::default()
    };
    let vlan = Vlan { id: Some(100), protocol: Some(VlanProtocol::Service), ..Vlan::default() };
    let ipvlan = IpVlan { mode: Some(IpVlanMode::L2), isolation: Some(IpVlanIsolation::Bridge) };
    let bond = Bond {
        mode: Some(BondMode::ActiveBackup),
        monitor_interval: Some(Duration::from_millis(100).into()),
        ..Bond::default()
    };
    vec![
        (LinkKind::Dummy, "dummy", &[]),
        (LinkKind::WireGuard, "wireguard", &[]),
        (LinkKind::Bond(bond), "bonding", &[("mode", "\"active-backup\""), ("miimon", "100")]),
        (LinkKind::Vrf(Vrf { table: 10 }), "vrf", &[("table", "10")]),
        (LinkKind::GreTap(Gre { key: None, ..gre.clone() }), "ip_gre", &[("local", "\"192.0.2.1\""), ("ttl", "9")]),
        (
            LinkKind::Gre(gre),
            "ip_gre",
            &[("remote", "\"192.0.2.2\""), ("ikey", "\"0.0.0.7\""), ("okey", "\"0.0.0.7\"")],
        ),
        (LinkKind::Ipip(ipip), "ipip", &[("local", "\"192.0.2.1\""), ("remote", "\"192.0.2.2\"")]),
        (LinkKind::Geneve(geneve), "geneve", &[("id", "42"), ("remote", "\"192.0.2.2\""), ("port", "6082")]),
        (LinkKind::Vlan(vlan), "8021q", &[("id", "100")]),
        (LinkKind::IpVlan(ipvlan), "ipvlan", &[("mode", "\"l2\"")]),
    ]
}

/// Asserts that a link has all that was given. The kernel adds its defaults.
fn assert_has(read: &LinkKind, given: &LinkKind) {
    let [read, given] = [read, given].map(|kind| serde_json::to_value(kind).unwrap());
    for (field, value) in given.as_object().unwrap() {
        assert_eq!(&read[field], value, "{field} of {read}");
    }
}

#[tokio::test]
async fn a_kind_is_created_or_the_error_names_the_missing_module() {
    let host = host();
    host.must("ip link add left type veth peer name right");
    for (kind, module, details) in kinds() {
        let name = kind.name().to_owned();
        let is_on_another = matches!(kind, LinkKind::Vlan(_) | LinkKind::IpVlan(_));
        let dev = is_on_another.then(|| "left".into());
        let spec = LinkSpec { dev, ..LinkSpec::new("link0", kind.clone()) };
        match host.network.links().add(&spec).await {
            Ok(link) => {
                assert_has(&link.kind, &kind);
                let reported = host.ip_link("link0");
                assert_eq!(reported["linkinfo"]["info_kind"], name.as_str());
                for (field, value) in details {
                    assert_eq!(reported["linkinfo"]["info_data"][field].to_string(), *value, "{name} {field}");
                }
                host.network.links().delete(&link.reference(), false).await.unwrap();
            }
            Err(error) => assert_lacks(&error, &name, module),
        }
    }
}

fn assert_lacks(error: &Error, name: &str, module: &str) {
    assert_eq!(error.errno(), Some(Errno::EOPNOTSUPP), "{error}");
    let Error::Kernel(error) = error else { unreachable!() };
    assert_eq!(error.words.as_deref(), Some("Unknown device type"));
    let hint = format!("the kernel has no '{name}' link; load the module {module}, if there is one");
    assert_eq!(error.hint.as_deref(), Some(hint.as_str()));
}

#[tokio::test]
async fn a_bridge_filters_vlans_or_the_error_says_that_it_cannot() {
    let host = host();
    let bridge = Bridge { vlan_filtering: Some(true), vlan_default_pvid: Some(9), ..Bridge::default() };
    match host.network.links().add(&LinkSpec::new("br0", LinkKind::Bridge(bridge))).await {
        Ok(link) => {
            let LinkKind::Bridge(bridge) = link.kind else { panic!("{:?}", link.kind) };
            assert_eq!((bridge.vlan_filtering, bridge.vlan_default_pvid), (Some(true), Some(9)));
            let reported = &host.ip_link("br0")["linkinfo"]["info_data"];
            assert_eq!((&reported["vlan_filtering"], &reported["vlan_default_pvid"]), (&1.into(), &9.into()));
        }
        Err(error) => {
            assert_eq!(error.errno(), Some(Errno::EOPNOTSUPP));
            assert!(
                error
                    .to_string()
                    .ends_with("the kernel was built without support for it, or the link does not support it"),
                "{error}"
            );
            assert!(host.link_names().is_empty());
        }
    }
}

#[tokio::test]
async fn an_unknown_kind_is_an_error_on_every_kernel() {
    let spec = LinkSpec::new("link0", LinkKind::Other { name: "nsset-test".into() });
    let error = host().network.links().add(&spec).await.unwrap_err();
    assert_lacks(&error, "nsset-test", "nsset-test");
}
