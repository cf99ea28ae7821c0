//! Lookups start no thread, and leave no descriptor and no task. This test has its own file because it counts those of the whole
//! process.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod lab;

use std::{fs, time::Duration};

use futures_util::future::join_all;
use hickory_proto::op::ResponseCode;
use lab::{Reply, a, config, host};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nsset_dns::{Config, Family};
use tokio::{runtime::Handle, time::timeout};

const SERVER: &str = "127.0.0.1:53";
const SILENT: &str = "127.0.0.2:53";
const LOOKUPS: usize = 1_000;

fn count(directory: &str) -> usize {
    fs::read_dir(directory).unwrap().count()
}

fn descriptors() -> usize {
    count("/proc/self/fd")
}

fn threads() -> usize {
    count("/proc/self/task")
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

fn raise_limit_of_descriptors() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    assert!(hard as usize > 2 * LOOKUPS, "{hard} descriptors are too few for this test");
}

/// Polls lookups until the expected number of descriptors is open. Creating a socket in a user namespace takes some time.
async fn hang<T>(lookups: &mut (impl Future<Output = T> + Unpin), expected: usize) {
    for _ in 0..200 {
        assert!(timeout(Duration::from_millis(100), &mut *lookups).await.is_err(), "they do not hang");
        if descriptors() == expected {
            return;
        }
    }
    panic!("{} descriptors are open, not {expected}", descriptors());
}

#[tokio::test]
async fn of_lookups_that_end_and_of_a_thousand_that_hang_and_are_dropped() {
    raise_limit_of_descriptors();
    let host = host();
    let _server = host.serve(SERVER, |query| match query.name.as_str() {
        "web.test." => Reply::Records(vec![a("web.test.", "10.0.0.1")]),
        "cut.test." => Reply::Truncated,
        _ => Reply::Code(ResponseCode::ServFail),
    });
    let _silent = host.serve(SILENT, |_| Reply::Nothing);
    let patient = Config { timeout: Duration::from_secs(60), ..config(&[SILENT]) };
    let resolver = host.resolver(config(&[SERVER]));
    let hanging = host.resolver(patient.clone());
    let hanging_on_tcp = host.resolver(Config { tcp: true, ..patient });
    // The first lookup also opens the descriptors that the libraries keep.
    resolver.lookup("web.test", Family::V4).await.unwrap();
    let before = (descriptors(), threads(), tasks());

    for _ in 0..50 {
        assert!(resolver.lookup("web.test", Family::Any).await.is_ok());
        assert!(resolver.lookup("bad.test", Family::Any).await.is_err());
    }
    assert_eq!((descriptors(), threads(), tasks()), before);

    let names: Vec<_> = (0..LOOKUPS).map(|number| format!("host{number}.test")).collect();
    let mut lookups = Box::pin(join_all(names.iter().map(|name| hanging.lookup(name, Family::Any))));
    hang(&mut lookups, before.0 + LOOKUPS).await;
    assert_eq!((threads(), tasks()), (before.1, before.2));
    drop(lookups);
    assert_eq!((descriptors(), threads(), tasks()), before);

    let mut lookups = Box::pin(join_all(names[..100].iter().map(|name| hanging_on_tcp.lookup(name, Family::V4))));
    // The server's ends of the connections are in this process, too.
    hang(&mut lookups, before.0 + 200).await;
    assert_eq!(threads(), before.1);
    drop(lookups);
    // The server closes its ends after the resolver has closed the others.
    timeout(Duration::from_secs(10), async {
        while (descriptors(), threads(), tasks()) != before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("everything is closed");
}
