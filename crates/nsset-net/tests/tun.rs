//! TUN and TAP devices, created with a `/dev/net/tun` that was opened inside. The tests end early if the user may not open it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod lab;

use std::{fs::File, os::fd::OwnedFd};

use lab::{Host, Lab, address};
use nsset_net::{Bridge, LinkKind, LinkSpec, LinkState, Tun, TunMode};

/// Opens the device, or returns `None` if this is not possible here.
fn device(host: &Host) -> Option<OwnedFd> {
    match nsset::open_tun(&host.set, nsset::Kinds::ALL) {
        Ok(device) => Some(device),
        Err(error) => {
            let is_allowed = File::options().read(true).write(true).open("/dev/net/tun").is_ok();
            assert!(!is_allowed, "{error}");
            eprintln!("skipped: {error}");
            None
        }
    }
}

#[tokio::test]
async fn a_tap_outlives_its_descriptor_with_its_settings() {
    let host = Lab::new().host();
    for (name, mode, word) in [("tap0", TunMode::Tap, "tap"), ("tun0", TunMode::Tun, "tun")] {
        let Some(fd) = device(&host) else { return };
        let kind = LinkKind::Tun(Tun { mode, owner: Some(0), group: None });
        let addresses = vec![address("10.0.0.1/24")];
        let state = LinkState { up: Some(true), alias: Some("a program".into()), addresses, ..LinkState::default() };
        let spec = LinkSpec { state, ..LinkSpec::new(name, kind.clone()) };
        let link = host.network.links().add_tun(&spec, fd).await.unwrap();
        assert_eq!((&link.kind, link.up, link.alias.as_deref()), (&kind, true, Some("a program")));
        let reported = host.ip_link(name);
        assert_eq!(
            (&reported["linkinfo"]["info_kind"], &reported["linkinfo"]["info_data"]["type"]),
            (&"tun".into(), &word.into())
        );
        assert_eq!(reported["linkinfo"]["info_data"]["persist"], true);
        host.network.links().delete(&link.reference(), false).await.unwrap();
    }
}

#[tokio::test]
async fn a_device_that_fails_does_not_stay() {
    let lab = Lab::new();
    let (here, there) = (lab.host(), lab.host());
    let Some(fd) = device(&here) else { return };
    let addresses = vec![address("ff02::1/64")];
    let state = LinkState { addresses, ..LinkState::default() };
    let spec = LinkSpec { state, ..LinkSpec::new("tun0", LinkKind::Tun(Tun::default())) };
    here.network.links().add_tun(&spec, fd).await.unwrap_err();
    assert!(here.link_names().is_empty());

    let spec = LinkSpec::new("tun0", LinkKind::Tun(Tun::default()));
    let error = there.network.links().add_tun(&spec, device(&here).unwrap()).await.unwrap_err();
    assert_eq!(error.to_string(), "the descriptor of /dev/net/tun belongs to another network");
    assert!(here.link_names().is_empty() && there.link_names().is_empty());

    here.network.links().add(&LinkSpec::new("tun0", LinkKind::Bridge(Bridge::default()))).await.unwrap();
    let error = here.network.links().add_tun(&spec, device(&here).unwrap()).await.unwrap_err();
    assert!(error.to_string().contains(", ioctl(TUNSETIFF) 'tun0'"), "{error}");
    assert_eq!(here.link_names(), ["tun0"]);
}

#[tokio::test]
async fn ensure_creates_a_device_once_and_rejects_other_settings() {
    let host = Lab::new().host();
    let Some(fd) = device(&host) else { return };
    let links = host.network.links();
    let tap = Tun { mode: TunMode::Tap, owner: Some(0), group: None };
    let spec = |tun| LinkSpec::new("tap0", LinkKind::Tun(tun));
    let first = links.ensure_tun(&spec(tap), fd).await.unwrap();
    let up = LinkState { up: Some(true), ..LinkState::default() };
    let same = LinkSpec { state: up, ..spec(Tun { owner: None, ..tap }) };
    let again = links.ensure_tun(&same, device(&host).unwrap()).await.unwrap();
    assert_eq!((again.index, again.kind, again.up), (first.index, first.kind, true));
    for other in [Tun { mode: TunMode::Tun, ..tap }, Tun { owner: Some(1), ..tap }, Tun { group: Some(0), ..tap }] {
        let error = links.ensure_tun(&spec(other), device(&host).unwrap()).await.unwrap_err();
        assert!(error.to_string().starts_with("EEXIST: file exists, ioctl(TUNSETIFF) 'tap0'"), "{error}");
        assert!(error.to_string().ends_with("it is a tun, but with other settings"), "{error}");
    }
}
