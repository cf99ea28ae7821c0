//! WireGuard: nsset changes links and `wg` of wireguard-tools reads them, and the reverse, if the kernel has WireGuard. If not,
//! the error says what is missing.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod lab;

use std::{
    fmt::Write as _,
    net::{SocketAddr, SocketAddrV4, UdpSocket},
    os::fd::{AsRawFd, OwnedFd},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lab::{Host, Lab, address, host};
use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, SockaddrIn, bind, socket},
};
use nsset::{Kinds, NamespaceSet, open_socket};
use nsset_net::{
    Error, IpNet, LinkChanges, LinkKind, LinkSpec, LinkState, Peer, PeerSpec, PublicKey, SecretKey, VethPeer,
    WireGuard, WireGuardSpec, WireGuards,
};

fn generic_socket(set: &NamespaceSet) -> OwnedFd {
    open_socket(set, Kinds::ALL, libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_GENERIC).unwrap()
}

fn cidr(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn public_key() -> PublicKey {
    SecretKey::generate().unwrap().public()
}

/// A host with a WireGuard link.
struct Wired {
    host: Host,
    wireguards: WireGuards,
    index: u32,
}

impl Wired {
    async fn set(&self, spec: &WireGuardSpec) -> nsset_net::Result<()> {
        self.wireguards.set(self.index, &"wg0".into(), spec).await
    }

    async fn set_peer(&self, peer: PeerSpec) {
        self.set(&WireGuardSpec { peers: vec![peer], ..WireGuardSpec::default() }).await.unwrap();
    }

    /// Reads the link, and checks that `wg` reads the same.
    async fn get(&self) -> WireGuard {
        let device = self.wireguards.get(self.index, &"wg0".into()).await.unwrap();
        let reported = self.host.run(&["wg", "show", "wg0", "dump"]);
        assert!(reported.status.success(), "{}", String::from_utf8_lossy(&reported.stderr));
        assert_eq!(dump(&device), String::from_utf8(reported.stdout).unwrap());
        device
    }

    async fn peer(&self) -> Peer {
        let mut peers = self.get().await.peers;
        assert_eq!(peers.len(), 1);
        peers.remove(0)
    }

    fn wg_setconf(&self, text: &str) {
        let path = std::env::temp_dir().join(format!("nsset-wg-{}.conf", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let output = self.host.run(&["wg", "setconf", "wg0", path.to_str().unwrap()]);
        std::fs::remove_file(&path).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Formats a link like `wg show wg0 dump`: wg(8).
fn dump(device: &WireGuard) -> String {
    let secret = |key: Option<&SecretKey>| key.map_or("(none)".into(), SecretKey::to_base64);
    let or = |text: Option<String>, none: &str| text.unwrap_or_else(|| none.into());
    let mark = (device.fwmark != 0).then(|| format!("{:#x}", device.fwmark));
    let public = device.public_key.map(|key| key.to_string());
    let mut text = format!(
        "{}\t{}\t{}\t{}\n",
        secret(device.private_key.as_ref()),
        or(public, "(none)"),
        device.listen_port,
        or(mark, "off")
    );
    for peer in &device.peers {
        let addresses: Vec<_> = peer.allowed_ips.iter().map(IpNet::to_string).collect();
        let handshake = peer.last_handshake.map_or(0, |time| time.duration_since(UNIX_EPOCH).unwrap().as_secs());
        writeln!(
            text,
            "{}\t{}\t{}\t{}\t{handshake}\t{}\t{}\t{}",
            peer.public_key,
            secret(peer.preshared_key.as_ref()),
            or(peer.endpoint.as_ref().map(ToString::to_string), "(none)"),
            if addresses.is_empty() { "(none)".into() } else { addresses.join(",") },
            peer.received_bytes,
            peer.sent_bytes,
            or(peer.persistent_keepalive.map(|interval| interval.as_secs().to_string()), "off"),
        )
        .unwrap();
    }
    text
}

/// Adds a WireGuard link `wg0` to a host. If the kernel has no WireGuard, checks the error and returns `None`.
async fn wire(host: Host) -> Option<Wired> {
    let wireguards = WireGuards::open(generic_socket(&host.set)).unwrap();
    match host.network.links().add(&LinkSpec::new("wg0", LinkKind::WireGuard)).await {
        Ok(link) => Some(Wired { host, wireguards, index: link.index }),
        Err(error) => {
            assert_eq!(error.errno(), Some(Errno::EOPNOTSUPP), "{error}");
            let spec = WireGuardSpec { private_key: Some(SecretKey::generate().unwrap()), ..WireGuardSpec::default() };
            assert_lacks(&wireguards.set(1, &"lo".into(), &spec).await.unwrap_err());
            eprintln!("the rest is skipped: the kernel has no wireguard");
            None
        }
    }
}

fn assert_lacks(error: &Error) {
    let text = "ENOENT: no such file or directory, CTRL_CMD_GETFAMILY 'wireguard' for link 'lo': the kernel has no \
                'wireguard' link; load the module wireguard, if there is one";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn a_link_of_another_kind_is_refused() {
    let host = host();
    let wireguards = WireGuards::open(generic_socket(&host.set)).unwrap();
    let refusals = [
        (wireguards.get(1, &"lo".into()).await.map(drop), "WG_CMD_GET_DEVICE"),
        (wireguards.set(1, &"lo".into(), &WireGuardSpec::default()).await, "WG_CMD_SET_DEVICE"),
    ];
    let has_wireguard = wire(host).await.is_some();
    for (refused, request) in refusals {
        let error = refused.unwrap_err();
        if !has_wireguard {
            assert_lacks(&error);
            continue;
        }
        let text = format!(
            "EOPNOTSUPP: operation not supported on transport endpoint, {request} 'lo': it is not a wireguard link"
        );
        assert_eq!(error.to_string(), text);
    }
}

#[tokio::test]
async fn an_error_refers_to_a_missing_link_as_the_caller_did() {
    let Some(wired) = wire(host()).await else { return };
    for error in [
        wired.wireguards.get(999, &"wg9".into()).await.unwrap_err(),
        wired.wireguards.set(999, &"wg9".into(), &WireGuardSpec::default()).await.unwrap_err(),
    ] {
        assert_eq!(error.errno(), Some(Errno::ENODEV));
        assert!(error.to_string().ends_with("_DEVICE 'wg9'"), "{error}");
    }
}

#[tokio::test]
async fn an_interval_out_of_range_is_rejected_without_a_request() {
    let host = host();
    let wireguards = WireGuards::open(generic_socket(&host.set)).unwrap();
    let peer = PeerSpec { persistent_keepalive: Some(Duration::from_millis(500)), ..PeerSpec::new(public_key()) };
    let spec = WireGuardSpec { peers: vec![peer], ..WireGuardSpec::default() };
    let error = wireguards.set(1, &"lo".into(), &spec).await.unwrap_err();
    assert!(matches!(error, Error::OutOfRange(_)), "{error}");
}

#[tokio::test]
async fn keys_need_the_right_to_change_the_network() {
    if nix::unistd::geteuid().is_root() {
        eprintln!("skipped: root may");
        return;
    }
    if wire(host()).await.is_none() {
        return;
    }
    let protocol = SockProtocol::NetlinkGeneric;
    let outside = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol).unwrap();
    let error = WireGuards::open(outside).unwrap().get(1, &"lo".into()).await.unwrap_err();
    assert!(error.to_string().starts_with("EPERM: "), "{error}");
    assert!(
        error.to_string().contains("WG_CMD_GET_DEVICE 'lo': reading the keys and peers of a link needs CAP_NET_ADMIN"),
        "{error}"
    );
}

#[tokio::test]
async fn a_new_link_has_nothing() {
    let Some(wired) = wire(host()).await else { return };
    assert_eq!(wired.get().await, WireGuard::default());
}

#[tokio::test]
async fn settings_are_read_back_and_removed() {
    let Some(wired) = wire(host()).await else { return };
    let private_key = SecretKey::generate().unwrap();
    let peer = PeerSpec {
        preshared_key: Some(SecretKey::generate_preshared().unwrap()),
        endpoint: Some("[2001:db8::1]:51822".parse().unwrap()),
        persistent_keepalive: Some(Duration::from_secs(25)),
        allowed_ips: vec![cidr("10.9.0.7/24"), cidr("fd00:9::/64")],
        ..PeerSpec::new(public_key())
    };
    let spec = WireGuardSpec {
        private_key: Some(private_key.clone()),
        listen_port: Some(51820),
        fwmark: Some(0x1234),
        replace_peers: false,
        peers: vec![peer.clone(), PeerSpec::new(public_key())],
    };
    wired.set(&spec).await.unwrap();

    let device = wired.get().await;
    assert_eq!(device.public_key, Some(private_key.public()));
    assert_eq!(device.private_key, Some(private_key));
    assert_eq!((device.listen_port, device.fwmark), (51820, 0x1234));
    let is_there = |key| device.peers.iter().any(|peer| peer.public_key == key);
    assert!(device.peers.len() == 2 && is_there(peer.public_key) && is_there(spec.peers[1].public_key));
    let found = device.peers.iter().find(|found| found.public_key == peer.public_key).unwrap();
    assert_eq!((&found.preshared_key, &found.endpoint), (&peer.preshared_key, &peer.endpoint));
    assert_eq!(found.persistent_keepalive, Some(Duration::from_secs(25)));
    // The network alone counts.
    assert_eq!(found.allowed_ips.len(), 2);
    assert!(["10.9.0.0/24", "fd00:9::/64"].iter().all(|text| found.allowed_ips.contains(&cidr(text))));

    let bare = PeerSpec {
        preshared_key: Some(SecretKey::none()),
        persistent_keepalive: Some(Duration::ZERO),
        replace_allowed_ips: true,
        ..PeerSpec::new(peer.public_key)
    };
    let without = WireGuardSpec {
        private_key: Some(SecretKey::none()),
        fwmark: Some(0),
        replace_peers: false,
        peers: vec![bare, PeerSpec { remove: true, ..PeerSpec::new(spec.peers[1].public_key) }],
        listen_port: None,
    };
    wired.set(&without).await.unwrap();
    let device = wired.get().await;
    assert_eq!((device.public_key, device.private_key, device.fwmark), (None, None, 0));
    assert_eq!(device.listen_port, 51820);
    let [left] = <[_; 1]>::try_from(device.peers).unwrap();
    assert_eq!(left, Peer { preshared_key: None, persistent_keepalive: None, allowed_ips: Vec::new(), ..left.clone() });
    assert_eq!(left.endpoint, peer.endpoint);
}

#[tokio::test]
async fn settings_of_wg_are_read() {
    let Some(wired) = wire(host()).await else { return };
    wired.wg_setconf(
        "[Interface]\nPrivateKey = +JrJi1s4cy+Uj9YQ/GwkzEYSg4SgFuAEE1KdR0spx3o=\nListenPort = 51820\nFwMark = 7\n\
         [Peer]\nPublicKey = +a8E+0EiKu3+F4J9qXFohtlIaWVPV5LmWaZSkdqCPF4=\n\
         PresharedKey = 68I8KBhiQlOmuYRH1onDOWYeqe7+DnPNA1aoNZC3zUg=\nEndpoint = 192.0.2.1:51821\n\
         PersistentKeepalive = 25\nAllowedIPs = 10.9.0.0/24, fd00:9::/64\n\
         [Peer]\nPublicKey = SCrbcmhd4bVex7n0h6fiF2R9RPCR8MHSr86zpUBwXgg=\nEndpoint = [2001:db8::1]:51822\n",
    );
    let device = wired.get().await;
    assert_eq!(device.public_key.unwrap().to_string(), "xDCjraq9Iw8HP5GD32R5xfHamKj11b+2V2chWgnz1S4=");
    let peer = |key: &str| device.peers.iter().find(|peer| peer.public_key.to_string() == key).unwrap();
    let one = peer("+a8E+0EiKu3+F4J9qXFohtlIaWVPV5LmWaZSkdqCPF4=");
    assert_eq!(one.persistent_keepalive, Some(Duration::from_secs(25)));
    assert_eq!((one.allowed_ips.len(), one.protocol_version), (2, 1));
    let other = peer("SCrbcmhd4bVex7n0h6fiF2R9RPCR8MHSr86zpUBwXgg=");
    assert_eq!(other.endpoint, Some("[2001:db8::1]:51822".parse().unwrap()));
}

#[tokio::test]
async fn the_public_key_and_the_text_are_those_of_wg() {
    let Some(wired) = wire(host()).await else { return };
    for key in [SecretKey::generate().unwrap(), SecretKey::generate_preshared().unwrap()] {
        let spec = WireGuardSpec { private_key: Some(key.clone()), ..WireGuardSpec::default() };
        wired.set(&spec).await.unwrap();
        let reported = wired.host.run(&["wg", "show", "wg0", "public-key"]);
        assert_eq!(String::from_utf8(reported.stdout).unwrap(), format!("{}\n", key.public()));
    }
}

#[tokio::test]
async fn a_peer_gets_more_addresses_or_others_and_is_not_made_by_an_update() {
    let Some(wired) = wire(host()).await else { return };
    let key = public_key();
    let with = |addresses: &[&str]| PeerSpec {
        allowed_ips: addresses.iter().map(|text| cidr(text)).collect(),
        ..PeerSpec::new(key)
    };
    wired.set_peer(PeerSpec { update_only: true, ..with(&["10.0.0.0/8"]) }).await;
    assert_eq!(wired.get().await.peers, []);

    wired.set_peer(with(&["10.0.0.0/8"])).await;
    wired.set_peer(with(&["11.0.0.0/8"])).await;
    assert_eq!(wired.peer().await.allowed_ips.len(), 2);
    wired.set_peer(PeerSpec { replace_allowed_ips: true, update_only: true, ..with(&["12.0.0.0/8"]) }).await;
    assert_eq!(wired.peer().await.allowed_ips, [cidr("12.0.0.0/8")]);
    wired.set_peer(PeerSpec { remove: true, ..with(&["13.0.0.0/8"]) }).await;
    assert_eq!(wired.get().await.peers, []);
}

fn thousands_of_peers() -> WireGuardSpec {
    let peer = |number: u32| PeerSpec {
        preshared_key: Some(SecretKey::generate_preshared().unwrap()),
        endpoint: Some(SocketAddr::from((number.to_be_bytes(), 51820)).into()),
        allowed_ips: vec![
            IpNet::new([0xFD00, 0, 0, number as u16, 0, 0, 0, 0].into(), 64).unwrap(),
            IpNet::new((0x0A00_0000 + number).to_be_bytes().into(), 32).unwrap(),
        ],
        // Any bytes are a valid public key, and random ones are faster than a computation on the curve.
        ..PeerSpec::new(PublicKey(*SecretKey::generate().unwrap().as_bytes()))
    };
    WireGuardSpec { replace_peers: true, peers: (0..2000).map(peer).collect(), ..WireGuardSpec::default() }
}

fn keys_of(spec: &WireGuardSpec) -> Vec<[u8; 32]> {
    let mut keys: Vec<_> = spec.peers.iter().map(|peer| peer.public_key.0).collect();
    keys.sort_unstable();
    keys
}

fn keys(device: &WireGuard) -> Vec<[u8; 32]> {
    let mut keys: Vec<_> = device.peers.iter().map(|peer| peer.public_key.0).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn two_thousand_peers_are_set_read_and_replaced() {
    let Some(wired) = wire(host()).await else { return };
    let first = thousands_of_peers();
    wired.set(&first).await.unwrap();
    let device = wired.get().await;
    assert_eq!(keys(&device), keys_of(&first));
    let last = device.peers.iter().find(|peer| peer.public_key == first.peers[1999].public_key).unwrap();
    assert_eq!(last.preshared_key, first.peers[1999].preshared_key);
    assert_eq!((&last.endpoint, last.allowed_ips.len()), (&first.peers[1999].endpoint, 2));

    let second = thousands_of_peers();
    wired.set(&second).await.unwrap();
    assert_eq!(keys(&wired.get().await), keys_of(&second));
}

#[tokio::test]
async fn changes_of_two_threads_do_not_mix() {
    let Some(wired) = wire(host()).await else { return };
    let specs = [thousands_of_peers(), thousands_of_peers()];
    let runtime = tokio::runtime::Handle::current();
    std::thread::scope(|scope| {
        for spec in &specs {
            let (runtime, wireguards, index) = (&runtime, wired.wireguards.clone(), wired.index);
            scope.spawn(move || runtime.block_on(wireguards.set(index, &"wg0".into(), spec)).unwrap());
        }
    });
    let found = keys(&wired.get().await);
    assert!(specs.iter().any(|spec| keys_of(spec) == found), "{} peers", found.len());
}

#[tokio::test]
async fn a_peer_has_five_thousand_addresses() {
    let Some(wired) = wire(host()).await else { return };
    let address = |number: u16| match number % 2 {
        0 => IpNet::new([10, 9, (number >> 8) as u8, number as u8].into(), 32),
        _ => IpNet::new([0xFD00, 0, 0, 0, 0, 0, 0, number].into(), 128),
    };
    let mut wanted: Vec<_> = (0..5000).map(|number| address(number).unwrap()).collect();
    let sorted = |mut addresses: Vec<IpNet>| {
        addresses.sort_unstable_by_key(|cidr| (cidr.addr(), cidr.prefix_len()));
        addresses
    };
    let peer = PeerSpec { replace_allowed_ips: true, allowed_ips: wanted.clone(), ..PeerSpec::new(public_key()) };
    let small = PeerSpec { allowed_ips: vec![cidr("192.0.2.0/24")], ..PeerSpec::new(public_key()) };
    let spec = WireGuardSpec {
        peers: vec![small.clone(), peer.clone(), PeerSpec::new(public_key())],
        ..WireGuardSpec::default()
    };
    wired.set(&spec).await.unwrap();
    let device = wired.get().await;
    assert_eq!(keys(&device), keys_of(&spec));
    let of =
        |device: &WireGuard, key| device.peers.iter().find(|peer| peer.public_key == key).unwrap().allowed_ips.clone();
    wanted = sorted(wanted);
    assert_eq!(sorted(of(&device, peer.public_key)), wanted);
    assert_eq!(of(&device, small.public_key), small.allowed_ips);

    wired.set_peer(PeerSpec { allowed_ips: vec![cidr("10.0.0.0/8")], ..peer.clone() }).await;
    assert_eq!(of(&wired.get().await, peer.public_key), [cidr("10.0.0.0/8")]);
}

#[tokio::test]
async fn a_port_in_use_is_reported() {
    let Some(wired) = wire(host()).await else { return };
    let state = LinkState { up: Some(true), ..LinkState::default() };
    let port = WireGuardSpec { listen_port: Some(51820), ..WireGuardSpec::default() };
    let links = wired.host.network.links();
    wired.set(&port).await.unwrap();
    let changes = LinkChanges { state: state.clone(), ..LinkChanges::default() };
    links.set(&"wg0".into(), &changes).await.unwrap();
    let other = links.add(&LinkSpec { state, ..LinkSpec::new("wg1", LinkKind::WireGuard) }).await.unwrap();
    let error = wired.wireguards.set(other.index, &"wg1".into(), &port).await.unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EADDRINUSE));
    assert!(error.to_string().contains("WG_CMD_SET_DEVICE 'wg1': another socket uses the port"), "{error}");
}

fn udp_socket(host: &Host, address: SocketAddrV4) -> UdpSocket {
    let socket = open_socket(&host.set, Kinds::ALL, libc::AF_INET, libc::SOCK_DGRAM, 0).unwrap();
    bind(socket.as_raw_fd(), &SockaddrIn::from(address)).unwrap();
    let socket = UdpSocket::from(socket);
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket
}

#[tokio::test]
async fn two_networks_talk_through_it() {
    let lab = Lab::new();
    let (Some(left), Some(right)) = (wire(lab.host()).await, wire(lab.host()).await) else { return };
    let state = |cidr: &str| LinkState { up: Some(true), addresses: vec![address(cidr)], ..LinkState::default() };
    let peer = VethPeer {
        name: Some("cable".into()),
        network: Some(right.host.network.clone()),
        state: state("192.0.2.2/24"),
        ..VethPeer::default()
    };
    let cable = LinkSpec { state: state("192.0.2.1/24"), peer: Some(peer), ..LinkSpec::new("cable", LinkKind::Veth) };
    left.host.network.links().add(&cable).await.unwrap();

    let keys = [SecretKey::generate().unwrap(), SecretKey::generate().unwrap()];
    let preshared = SecretKey::generate_preshared().unwrap();
    for (wired, own, other, address, endpoint) in [
        (&left, &keys[0], &keys[1], "10.9.0.1/24", Some("192.0.2.2:51820".parse().unwrap())),
        (&right, &keys[1], &keys[0], "10.9.0.2/24", None),
    ] {
        let peer = PeerSpec {
            preshared_key: Some(preshared.clone()),
            endpoint,
            allowed_ips: vec![cidr("10.9.0.0/24")],
            ..PeerSpec::new(other.public())
        };
        let spec = WireGuardSpec {
            private_key: Some(own.clone()),
            listen_port: Some(51820),
            peers: vec![peer],
            ..WireGuardSpec::default()
        };
        wired.set(&spec).await.unwrap();
        let changes = LinkChanges { state: state(address), ..LinkChanges::default() };
        wired.host.network.links().set(&"wg0".into(), &changes).await.unwrap();
    }

    let sender = udp_socket(&left.host, SocketAddrV4::new([10, 9, 0, 1].into(), 7777));
    let receiver = udp_socket(&right.host, SocketAddrV4::new([10, 9, 0, 2].into(), 7777));
    sender.send_to(b"through the tunnel", "10.9.0.2:7777").unwrap();
    let mut buffer = [0; 64];
    let (length, from) = receiver.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], from), (&b"through the tunnel"[..], "10.9.0.1:7777".parse().unwrap()));
    receiver.send_to(b"and back", from).unwrap();
    let (length, _) = sender.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"and back");

    for (wired, other) in [(&left, "192.0.2.2:51820"), (&right, "192.0.2.1:51820")] {
        let peer = wired.peer().await;
        assert_eq!(peer.endpoint, Some(other.parse().unwrap()));
        assert!(peer.received_bytes > 100 && peer.sent_bytes > 100, "{peer:?}");
        let age = SystemTime::now().duration_since(peer.last_handshake.unwrap()).unwrap();
        assert!(age < Duration::from_secs(60), "{age:?}");
    }
}
