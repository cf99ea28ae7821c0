//! Descriptors are closed, whether a call succeeds or fails. This test has its own file because it counts the descriptors of the
//! whole process.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod lab;

use lab::{Lab, address};
use nsset_net::{LinkKind, LinkSpec, LinkState, VethPeer};

fn count() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[tokio::test]
async fn none_is_left_by_links_that_are_made_and_by_those_that_are_not() {
    let lab = Lab::new();
    // The first host also opens the descriptors that the library keeps.
    drop(lab.host());
    let before = count();
    let (here, there) = (lab.host(), lab.host());
    let with_hosts = count();
    for number in 0..20 {
        let addresses = match number % 2 {
            0 => vec![address("ff02::1/64")],
            _ => Vec::new(),
        };
        let state = LinkState { addresses, ..LinkState::default() };
        let peer = VethPeer {
            name: Some(format!("right{number}")),
            network: Some(there.network.clone()),
            state,
            ..VethPeer::default()
        };
        let spec = LinkSpec { peer: Some(peer), ..LinkSpec::new(format!("left{number}"), LinkKind::Veth) };
        let outcome = here.network.links().add(&spec).await;
        assert_eq!(outcome.is_ok(), number % 2 == 1);
    }
    assert_eq!((here.link_names().len(), there.link_names().len()), (10, 10));
    assert_eq!(count(), with_hosts);
    drop((here, there));
    assert_eq!(count(), before);
}
