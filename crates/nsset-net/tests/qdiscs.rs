//! Queueing disciplines: we add and `tc` reads, and the other way round.

mod lab;

use std::time::Duration;

use lab::{Host, host};
use nix::errno::Errno;
use nsset_net::{Error, Handle, Htb, LinkKind, LinkSpec, Netem, Qdisc, QdiscKind, QdiscSpec, Tbf, TbfLimit};

async fn host_with_veth() -> Host {
    let host = host();
    host.network.links().add(&LinkSpec::new("left", LinkKind::Veth)).await.unwrap();
    host
}

async fn root(host: &Host) -> Qdisc {
    let mut qdiscs = host.network.qdiscs().list(Some(&"left".into())).await.unwrap();
    assert_eq!(qdiscs.len(), 1);
    qdiscs.remove(0)
}

#[tokio::test]
async fn a_rate_is_set_replaced_and_taken_away() {
    let host = host_with_veth().await;
    let qdiscs = host.network.qdiscs();
    let left = "left".into();
    let rate = Tbf { rate: 10_000_000, burst: Some(16384), limit: TbfLimit::Latency(Duration::from_millis(50)) };
    qdiscs.add(&left, &QdiscSpec::root(QdiscKind::Tbf(rate.clone()))).await.unwrap();

    let told = host.json("tc -json qdisc show dev left");
    assert_eq!(told[0]["kind"], "tbf");
    assert_eq!(told[0]["options"]["rate"], 1_250_000);
    // Whole microseconds of it, and so up to a byte less.
    assert!([16383, 16384].map(Into::into).contains(&told[0]["options"]["burst"]), "{told}");
    let qdisc = root(&host).await;
    assert_eq!(qdisc.kind, QdiscKind::Tbf(Tbf { limit: TbfLimit::Bytes(78884), ..rate.clone() }));
    assert_eq!(qdisc.parent, Handle::ROOT);

    let error = qdiscs.add(&left, &QdiscSpec::root(QdiscKind::Tbf(rate))).await.unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EEXIST));
    qdiscs.replace(&left, &QdiscSpec::root(QdiscKind::Tbf(Tbf::new(1_000_000)))).await.unwrap();
    assert_eq!(host.json("tc -json qdisc show dev left")[0]["options"]["rate"], 125_000);

    qdiscs.delete(&left, Handle::ROOT).await.unwrap();
    assert_eq!(qdiscs.list(Some(&left)).await.unwrap(), []);
    let error = qdiscs.delete(&left, Handle::ROOT).await.unwrap_err();
    assert!(error.to_string().contains("RTM_DELQDISC root of link 'left' (\""), "{error}");
}

#[tokio::test]
async fn a_hierarchy_begins_with_its_root() {
    let host = host_with_veth().await;
    let spec =
        QdiscSpec { handle: "1:".parse().unwrap(), ..QdiscSpec::root(QdiscKind::Htb(Htb { default_class: 0x30 })) };
    host.network.qdiscs().add(&"left".into(), &spec).await.unwrap();
    let told = host.json("tc -json qdisc show dev left");
    assert_eq!((&told[0]["kind"], &told[0]["handle"]), (&"htb".into(), &"1:".into()));
    assert_eq!(told[0]["options"]["default"], "0x30");

    host.must("tc class add dev left parent 1: classid 1:30 htb rate 1mbit");
    let child = QdiscSpec { parent: "1:30".parse().unwrap(), ..QdiscSpec::root(QdiscKind::Tbf(Tbf::new(500_000))) };
    host.network.qdiscs().add(&"left".into(), &child).await.unwrap();
    let qdiscs = host.network.qdiscs().list(Some(&"left".into())).await.unwrap();
    let names: Vec<_> = qdiscs.iter().map(|qdisc| (qdisc.kind.name(), qdisc.parent.to_string())).collect();
    assert_eq!(names, [("htb", "root".into()), ("tbf", "1:30".into())]);
    assert_eq!(qdiscs[0].kind, spec.kind);
}

#[tokio::test]
async fn what_tc_adds_is_read_with_what_it_did() {
    let host = host_with_veth().await;
    host.must("ip link set left up");
    host.must("tc qdisc add dev left root handle 7: tbf rate 40gbit burst 1mb limit 2mb");
    let qdisc = root(&host).await;
    assert_eq!(qdisc.handle.to_string(), "7:");
    let QdiscKind::Tbf(tbf) = &qdisc.kind else { panic!("{qdisc:?}") };
    assert_eq!((tbf.rate, tbf.limit), (40_000_000_000, TbfLimit::Bytes(2 << 20)));
    let told = host.json("tc -json -statistics qdisc show dev left");
    assert_eq!(qdisc.statistics.packets, told[0]["packets"].as_u64().unwrap());
}

#[tokio::test]
async fn what_the_kernel_lacks_or_refuses_is_said() {
    let host = host_with_veth().await;
    let qdiscs = host.network.qdiscs();
    let left = "left".into();
    let netem = QdiscSpec::root(QdiscKind::Netem(Netem { latency: Duration::from_millis(100), ..Netem::default() }));
    match qdiscs.add(&left, &netem).await {
        Ok(()) => assert_eq!(root(&host).await.kind, netem.kind),
        Err(error) => assert_eq!(
            error.to_string(),
            "ENOENT: no such file or directory, RTM_NEWQDISC root of link 'left' (\"Specified qdisc kind is unknown\"): \
             the kernel has no 'netem' queueing discipline; load the module sch_netem, where there is one"
        ),
    }
    let nothing = QdiscSpec::root(QdiscKind::Other("nothing".into()));
    let error = qdiscs.replace(&left, &nothing).await.unwrap_err();
    assert!(error.to_string().contains("'nothing' queueing discipline"), "{error}");
    let wrong = QdiscSpec::root(QdiscKind::Netem(Netem { loss: 101.0, ..Netem::default() }));
    assert!(matches!(qdiscs.add(&left, &wrong).await, Err(Error::OutOfRange(_))));
    let error = qdiscs.list(Some(&99.into())).await.unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENODEV));
}
