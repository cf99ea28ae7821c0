//! A process that may configure the network inside must not be able to send forged answers to the socket of nsset.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod lab;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use lab::{host, rtnetlink_socket};
use nix::{
    errno::Errno,
    sys::socket::{MsgFlags, NetlinkAddr, getsockname, sendto},
};
use nsset_net::{Bridge, LinkKind, LinkSpec, Network};

/// A forged `NLMSG_ERROR` with `EIO` for the request with this sequence number.
fn lie(sequence: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(36u32.to_ne_bytes());
    bytes.extend([2u16, 0].map(u16::to_ne_bytes).concat());
    bytes.extend([sequence, 0].map(u32::to_ne_bytes).concat());
    bytes.extend((-libc::EIO).to_ne_bytes());
    bytes.resize(36, 0);
    bytes
}

fn port_of(socket: BorrowedFd<'_>) -> u32 {
    getsockname::<NetlinkAddr>(socket.as_raw_fd()).unwrap().pid()
}

#[tokio::test]
async fn only_the_kernel_can_send_to_the_socket() {
    let host = host();
    let socket = rtnetlink_socket(&host.set);
    let watched = socket.try_clone().unwrap();
    let network = Network::open(socket).unwrap();
    network.links().list().await.unwrap();

    let intruder = rtnetlink_socket(&host.set);
    let ours = NetlinkAddr::new(port_of(watched.as_fd()), 0);
    for sequence in 0..100 {
        let sent = sendto(intruder.as_raw_fd(), &lie(sequence), &ours, MsgFlags::empty());
        assert_eq!(sent, Err(Errno::ECONNREFUSED));
    }
    let link = network.links().add(&LinkSpec::new("br0", LinkKind::Bridge(Bridge::default()))).await.unwrap();
    assert_eq!(network.links().list().await.unwrap().last(), Some(&link));
}

#[tokio::test]
async fn many_may_ask_at_once() {
    let host = host();
    let network = &host.network;
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let network = network.clone();
            tokio::spawn(async move {
                let name = format!("br{number}");
                let spec = LinkSpec::new(&name, LinkKind::Bridge(Bridge::default()));
                assert_eq!(network.links().add(&spec).await.unwrap().name, name);
                assert_eq!(network.links().get(&name.as_str().into()).await.unwrap().name, name);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(host.link_names().len(), 50);
}
