//! Watching a network whose notifications are lost: the socket's buffer overflows, because nothing receives them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod lab;

use std::collections::BTreeSet;

use lab::{host, rtnetlink_socket};
use nsset_net::{Watch, WatchedLists, WatchedPart, Watcher};
use serde_json::Value;
use tokio::{select, task::yield_now};

/// More notifications than fit into the largest buffer, which root gets.
const MANY: usize = 120_000;

/// Waits for the next events.
async fn next(watcher: &Watcher) -> Vec<Value> {
    loop {
        if let Some(text) = watcher.read().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
        yield_now().await;
    }
}

#[tokio::test]
async fn lost_notifications_are_reported_with_the_differences() {
    let host = host();
    host.must("ip link set lo up");
    let watch = Watch::open(rtnetlink_socket(&host.set)).unwrap();
    let watcher = watch.add(&[WatchedPart::Routes], true).unwrap().unwrap();
    let reading = async {
        let existing = next(&watcher).await;
        assert_eq!(existing[0]["type"], "existing");
        // While `ip` runs, nothing receives.
        for verb in ["add", "del"] {
            let line = format!("route {verb} 10.$((1 + i / 256)).$((i % 256)).1 dev lo");
            let last = MANY / 2;
            let script = format!("i=0; while [ $i -lt {last} ]; do echo \"{line}\"; i=$((i + 1)); done | ip -batch -");
            assert!(host.run(&["sh", "-c", &script]).status.success());
        }
        host.must("ip route add 192.0.2.0/24 dev lo");
        let mut known: BTreeSet<String> = existing.iter().map(destination).collect();
        let count = known.len();
        let mut resyncs = 0;
        while !known.contains("192.0.2.0/24") || known.len() > count + 1 {
            for event in next(&watcher).await {
                match event["type"].as_str().unwrap() {
                    "resync" => resyncs += 1,
                    "remove" => drop(known.remove(&destination(&event))),
                    _ => drop(known.insert(destination(&event))),
                }
            }
        }
        assert!(resyncs > 0);
        assert_eq!(known.len(), count + 1);
    };
    select! {
        () = reading => {}
        () = watch.run(WatchedLists::Rtnetlink(&host.network)) => panic!("the watch has ended"),
    }
}

/// The destination of a route; the text of another event is not in any list.
fn destination(event: &Value) -> String {
    event["value"]["destination"].as_str().unwrap_or_default().into()
}
