//! Queueing disciplines: nsset adds them and `tc` reads them, and the reverse.
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

use lab::{Host, host};
use nix::errno::Errno;
use nsset_net::{
    Error, FqCodel, Handle, Htb, LinkKind, LinkSpec, Netem, Qdisc, QdiscKind, QdiscPlace, QdiscSpec, Tbf, TbfLimit,
};
use serde_json::{Value, json};

async fn host_with_veth() -> Host {
    let host = host();
    host.network.links().add(&LinkSpec::new("left", LinkKind::Veth)).await.unwrap();
    host
}

fn root_of(kind: QdiscKind) -> QdiscSpec {
    QdiscSpec { kind, parent: Some(Handle::ROOT), handle: Handle::NONE }
}

fn root_place() -> QdiscPlace {
    QdiscPlace { parent: Handle::ROOT, handle: Handle::NONE, kind: None }
}

fn rate(rate: u64) -> QdiscKind {
    QdiscKind::Tbf(Tbf { rate, burst: None, limit: None, peak_rate: None, peak_burst: None })
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
    let QdiscKind::Tbf(of_rate) = rate(10_000_000) else { panic!() };
    let fast = Tbf { burst: Some(16384), limit: Some(TbfLimit::Latency(Duration::from_millis(50))), ..of_rate };
    qdiscs.add(&left, &root_of(QdiscKind::Tbf(fast.clone()))).await.unwrap();

    let reported = host.json("tc -json qdisc show dev left");
    assert_eq!(reported[0]["kind"], "tbf");
    assert_eq!(reported[0]["options"]["rate"], 1_250_000);
    // It is rounded to whole microseconds, which may be a byte less.
    assert!([16383, 16384].map(Into::into).contains(&reported[0]["options"]["burst"]), "{reported}");
    let qdisc = root(&host).await;
    assert_eq!(qdisc.kind, QdiscKind::Tbf(Tbf { limit: Some(TbfLimit::Bytes(78884)), ..fast.clone() }));
    assert_eq!(qdisc.parent, Handle::ROOT);

    let error = qdiscs.add(&left, &root_of(QdiscKind::Tbf(fast))).await.unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EEXIST));
    qdiscs.replace(&left, &root_of(rate(1_000_000))).await.unwrap();
    assert_eq!(host.json("tc -json qdisc show dev left")[0]["options"]["rate"], 125_000);

    qdiscs.delete(&left, &root_place()).await.unwrap();
    assert_eq!(qdiscs.list(Some(&left)).await.unwrap(), []);
    let error = qdiscs.delete(&left, &root_place()).await.unwrap_err();
    assert!(error.to_string().contains("RTM_DELQDISC root of link 'left' (\""), "{error}");
}

#[tokio::test]
async fn a_hierarchy_begins_with_its_root() {
    let host = host_with_veth().await;
    let spec = QdiscSpec {
        handle: "1:".parse().unwrap(),
        ..root_of(QdiscKind::Htb(Htb {
            default_class: 0x30,
            rate_to_quantum: Some(10),
            direct_queue_length: Some(1000),
        }))
    };
    host.network.qdiscs().add(&"left".into(), &spec).await.unwrap();
    let reported = host.json("tc -json qdisc show dev left");
    assert_eq!((&reported[0]["kind"], &reported[0]["handle"]), (&"htb".into(), &"1:".into()));
    assert_eq!(reported[0]["options"]["default"], "0x30");

    host.must("tc class add dev left parent 1: classid 1:30 htb rate 1mbit");
    let child = QdiscSpec { parent: Some("1:30".parse().unwrap()), ..root_of(rate(500_000)) };
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
    assert_eq!((tbf.rate, tbf.limit), (40_000_000_000, Some(TbfLimit::Bytes(2 << 20))));
    let reported = host.json("tc -json -statistics qdisc show dev left");
    assert_eq!(qdisc.statistics.basic.packets, reported[0]["packets"].as_u64().unwrap());
}

#[tokio::test]
async fn errors_name_the_request_and_the_remedy() {
    let host = host_with_veth().await;
    let qdiscs = host.network.qdiscs();
    let left = "left".into();
    let nothing = root_of(QdiscKind::Other { name: "nothing".into(), options: None });
    let error = qdiscs.replace(&left, &nothing).await.unwrap_err();
    assert!(error.to_string().contains("'nothing' queueing discipline"), "{error}");
    let wrong = root_of(QdiscKind::Netem(Netem { latency: Duration::MAX, ..Netem::default() }.into()));
    assert!(matches!(qdiscs.add(&left, &wrong).await, Err(Error::OutOfRange(_))));
    let error = qdiscs.list(Some(&99.into())).await.unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENODEV));
}

/// Kinds that a kernel may lack, with the output of `tc`.
fn kinds() -> [(QdiscKind, Value); 3] {
    let late = Netem { latency: Duration::from_millis(100), jitter: Duration::from_millis(10), ..Netem::default() };
    let bad = Netem {
        latency: Duration::from_micros(1600),
        loss: 1.0,
        duplicate: 2.0,
        corrupt: 0.5,
        reorder: 25.0,
        rate: Some(10_000_000),
        limit: 500,
        ..Netem::default()
    };
    let codel = FqCodel {
        limit: Some(1000),
        // The kernel counts in 1024 ns.
        target: Some(Duration::from_micros(5120)),
        interval: Some(Duration::from_micros(102_400)),
        flows: Some(512),
        quantum: Some(1514),
        ecn: Some(true),
        memory_limit: Some(4 << 20),
        drop_batch: Some(64),
        ..FqCodel::default()
    };
    [
        (
            QdiscKind::Netem(late.into()),
            json!({ "delay": { "delay": 0.1, "jitter": 0.01, "correlation": 0 }, "limit": 1000 }),
        ),
        (
            QdiscKind::Netem(bad.into()),
            json!({
                "limit": 500,
                "loss-random": { "loss": 0.01, "correlation": 0 },
                "duplicate": { "duplicate": 0.02, "correlation": 0 },
                "corrupt": { "corrupt": 0.005, "correlation": 0 },
                "reorder": { "reorder": 0.25, "correlation": 0 },
                "rate": { "rate": 1_250_000, "packetoverhead": 0, "cellsize": 0, "celloverhead": 0 },
            }),
        ),
        (QdiscKind::FqCodel(codel), json!({ "limit": 1000, "flows": 512, "quantum": 1514, "ecn": true })),
    ]
}

#[tokio::test]
async fn a_kind_is_created_or_the_error_names_the_missing_module() {
    let host = host_with_veth().await;
    for (kind, expected) in kinds() {
        match host.network.qdiscs().replace(&"left".into(), &root_of(kind.clone())).await {
            Ok(()) => {
                assert_eq!(without_seed(root(&host).await.kind), kind);
                let reported = &host.json("tc -json qdisc show dev left")[0]["options"];
                for (field, value) in expected.as_object().unwrap() {
                    assert_alike(&reported[field], value);
                }
                host.network.qdiscs().delete(&"left".into(), &root_place()).await.unwrap();
            }
            Err(error) => assert_eq!(
                error.to_string(),
                format!(
                    "ENOENT: no such file or directory, RTM_NEWQDISC root of link 'left' (\"Specified qdisc kind is unknown\"): \
                     the kernel has no '{0}' queueing discipline; load the module sch_{0}, if there is one",
                    kind.name()
                )
            ),
        }
    }
}

/// Since Linux 6.6 the kernel chooses a seed for netem, if none is given.
fn without_seed(kind: QdiscKind) -> QdiscKind {
    match kind {
        QdiscKind::Netem(netem) => QdiscKind::Netem(Netem { seed: None, ..*netem }.into()),
        other => other,
    }
}

/// Asserts that values are equal within the precision of `tc`, which has percentages as floats.
fn assert_alike(reported: &Value, expected: &Value) {
    match expected {
        Value::Object(fields) => fields.iter().for_each(|(field, value)| assert_alike(&reported[field], value)),
        Value::Number(number) => {
            let (reported, expected) = (reported.as_f64().unwrap_or(f64::NAN), number.as_f64().unwrap());
            assert!((reported - expected).abs() < 1e-6, "{reported} is not {expected}");
        }
        _ => assert_eq!(reported, expected),
    }
}
