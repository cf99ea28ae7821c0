//! Requests about a WireGuard link, divided into messages of a size that the kernel accepts.

use ipnet::IpNet;
use netlink_packet_core::Emitable;
use netlink_packet_wireguard::{
    WireguardAddressFamily, WireguardAllowedIp, WireguardAllowedIpAttr, WireguardAttribute, WireguardCmd,
    WireguardDeviceFlags, WireguardMessage, WireguardPeer, WireguardPeerAttribute, WireguardPeerFlags,
};

use super::{
    endpoint::Endpoint,
    spec::{PeerSpec, WireGuardSpec},
};
use crate::error::Result;

/// The largest size of the peers in a message, in bytes. The length of an attribute has 16 bits.
const PEERS: usize = 16 * 1024;

/// The largest number of addresses of a peer in a message. An address has at most 40 bytes.
const ADDRESSES: usize = 256;

/// Returns a request for all settings of the link with this index.
pub(super) fn get(index: u32) -> WireguardMessage {
    WireguardMessage { cmd: WireguardCmd::GetDevice, attributes: vec![WireguardAttribute::IfIndex(index)] }
}

/// Returns the messages that change the link with this index.
pub(super) fn set(index: u32, spec: &WireGuardSpec) -> Result<Vec<WireguardMessage>> {
    let mut attributes = device(spec);
    let mut messages = Vec::new();
    let mut end = |peers: Vec<WireguardPeer>| {
        let mut message = vec![WireguardAttribute::IfIndex(index)];
        // Only the first message has these: a second one with the flag would remove the peers of the first.
        message.append(&mut attributes);
        if !peers.is_empty() {
            message.push(WireguardAttribute::Peers(peers));
        }
        messages.push(WireguardMessage { cmd: WireguardCmd::SetDevice, attributes: message });
    };
    let mut peers = Vec::new();
    let mut length = 0;
    for piece in spec.peers.iter().map(pieces).collect::<Result<Vec<_>>>()?.into_iter().flatten() {
        if length + piece.buffer_len() > PEERS {
            end(std::mem::take(&mut peers));
            length = 0;
        }
        length += piece.buffer_len();
        peers.push(piece);
    }
    end(peers);
    Ok(messages)
}

/// Returns the attributes of the link without the peers.
fn device(spec: &WireGuardSpec) -> Vec<WireguardAttribute> {
    let attributes = [
        spec.private_key.as_ref().map(|key| WireguardAttribute::PrivateKey(*key.as_bytes())),
        spec.listen_port.map(WireguardAttribute::ListenPort),
        spec.fwmark.map(WireguardAttribute::Fwmark),
        spec.replace_peers.then_some(WireguardAttribute::Flags(WireguardDeviceFlags::ReplacePeers)),
    ];
    attributes.into_iter().flatten().collect()
}

/// Splits a peer that has too many addresses for a message. The first piece has all other settings.
fn pieces(peer: &PeerSpec) -> Result<Vec<WireguardPeer>> {
    if peer.remove {
        return Ok(vec![piece(peer, WireguardPeerFlags::RemoveMe, Vec::new(), &[])]);
    }
    let update_only = if peer.update_only { WireguardPeerFlags::UpdateOnly } else { WireguardPeerFlags::empty() };
    let replace =
        if peer.replace_allowed_ips { WireguardPeerFlags::ReplaceAllowedIps } else { WireguardPeerFlags::empty() };
    let rest = [
        peer.preshared_key.as_ref().map(|key| WireguardPeerAttribute::PresharedKey(*key.as_bytes())),
        peer.endpoint.as_ref().map(Endpoint::known).transpose()?.map(WireguardPeerAttribute::Endpoint),
        peer.keepalive_seconds()?.map(WireguardPeerAttribute::PersistentKeepalive),
    ];
    let rest = rest.into_iter().flatten().collect();
    let (addresses, more) = peer.allowed_ips.split_at(peer.allowed_ips.len().min(ADDRESSES));
    let mut pieces = vec![piece(peer, update_only | replace, rest, addresses)];
    pieces.extend(more.chunks(ADDRESSES).map(|addresses| piece(peer, update_only, Vec::new(), addresses)));
    Ok(pieces)
}

fn piece(
    peer: &PeerSpec,
    flags: WireguardPeerFlags,
    rest: Vec<WireguardPeerAttribute>,
    addresses: &[IpNet],
) -> WireguardPeer {
    let mut attributes = vec![WireguardPeerAttribute::PublicKey(peer.public_key.0)];
    attributes.extend(rest);
    if !flags.is_empty() {
        attributes.push(WireguardPeerAttribute::Flags(flags));
    }
    if !addresses.is_empty() {
        attributes.push(WireguardPeerAttribute::AllowedIps(addresses.iter().map(allowed_ip).collect()));
    }
    WireguardPeer(attributes)
}

fn allowed_ip(net: &IpNet) -> WireguardAllowedIp {
    let family = match net {
        IpNet::V4(_) => WireguardAddressFamily::Ipv4,
        IpNet::V6(_) => WireguardAddressFamily::Ipv6,
    };
    WireguardAllowedIp(vec![
        WireguardAllowedIpAttr::Family(family),
        WireguardAllowedIpAttr::IpAddr(net.addr()),
        WireguardAllowedIpAttr::Cidr(net.prefix_len()),
    ])
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv6Addr, time::Duration};

    use netlink_packet_generic::GenlMessage;

    use super::*;
    use crate::{netlink::request::Request, wireguard::PublicKey};

    /// Returns the bytes of a message to the same family as in the recorded ones.
    fn bytes(message: WireguardMessage) -> Vec<u8> {
        let mut message = GenlMessage::from_payload(message);
        message.set_resolved_family_id(0x20);
        Request::act(message).numbered(0).to_vec()
    }

    /// Returns a recorded message of wg(8) with the link's index in the place of its name `wg0`. Both attributes have eight
    /// bytes.
    fn recorded(bytes: &[u8], index: u32) -> Vec<u8> {
        let index = [&[8, 0, 1, 0][..], &index.to_ne_bytes()].concat();
        assert_eq!(&bytes[20..28], b"\x08\0\x02\0wg0\0");
        [&bytes[..20], &index, &bytes[28..]].concat()
    }

    fn peer(number: u32) -> PeerSpec {
        let mut key = [1; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        PeerSpec::new(PublicKey(key))
    }

    fn addresses(count: u128) -> Vec<IpNet> {
        (0..count).map(|number| IpNet::from(std::net::IpAddr::from(Ipv6Addr::from(0xFD << 120 | number)))).collect()
    }

    /// Returns the peers of a message.
    fn peers(message: &WireguardMessage) -> &[WireguardPeer] {
        match message.attributes.last() {
            Some(WireguardAttribute::Peers(peers)) => peers,
            _ => &[],
        }
    }

    fn flags(peer: &WireguardPeer) -> WireguardPeerFlags {
        let flags = peer.iter().find_map(|attribute| match attribute {
            WireguardPeerAttribute::Flags(flags) => Some(*flags),
            _ => None,
        });
        flags.unwrap_or(WireguardPeerFlags::empty())
    }

    #[test]
    fn the_bytes_are_those_of_wg_setconf() {
        let with = |key: &str, addresses: &[&str]| PeerSpec {
            allowed_ips: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            replace_allowed_ips: true,
            ..PeerSpec::new(key.parse().unwrap())
        };
        let spec = WireGuardSpec {
            private_key: Some("+JrJi1s4cy+Uj9YQ/GwkzEYSg4SgFuAEE1KdR0spx3o=".parse().unwrap()),
            listen_port: Some(51820),
            fwmark: Some(7),
            replace_peers: true,
            peers: vec![
                PeerSpec {
                    preshared_key: Some("68I8KBhiQlOmuYRH1onDOWYeqe7+DnPNA1aoNZC3zUg=".parse().unwrap()),
                    endpoint: Some("192.0.2.1:51821".parse().unwrap()),
                    persistent_keepalive: Some(Duration::from_secs(25)),
                    ..with("+a8E+0EiKu3+F4J9qXFohtlIaWVPV5LmWaZSkdqCPF4=", &["10.9.0.0/24", "fd00:9::/64"])
                },
                PeerSpec {
                    endpoint: Some("[2001:db8::1]:51822".parse().unwrap()),
                    ..with("SCrbcmhd4bVex7n0h6fiF2R9RPCR8MHSr86zpUBwXgg=", &["10.9.1.0/24"])
                },
                PeerSpec {
                    persistent_keepalive: Some(Duration::ZERO),
                    ..with("dCzlXpiyyx+ckVCweMR5+b04WKF4zBjKykt9Tccy1A0=", &[])
                },
            ],
        };
        let messages = set(2, &spec).unwrap();
        let [message] = <[_; 1]>::try_from(messages).unwrap();
        assert_eq!(bytes(message), recorded(include_bytes!("../../tests/recorded/wg-setconf.bin"), 2));
    }

    #[test]
    fn the_link_of_an_endpoint_must_be_given_by_its_index() {
        let at = |endpoint: Endpoint| {
            let peer = PeerSpec { endpoint: Some(endpoint), ..peer(1) };
            set(2, &WireGuardSpec { peers: vec![peer], ..WireGuardSpec::default() })
        };
        let named: Endpoint = "[fe80::1%eth0]:51820".parse().unwrap();
        at(named.clone()).unwrap_err();
        let sent = bytes(at(named.on(7)).unwrap().remove(0));
        // `struct sockaddr_in6` of ipv6(7).
        let address = [&[10, 0, 0xca, 0x6c, 0, 0, 0, 0, 0xfe, 0x80][..], &[0; 13], &[1, 7, 0, 0, 0]].concat();
        assert!(sent.windows(address.len()).any(|window| window == address), "{sent:?}");
    }

    #[test]
    fn it_removes_a_peer_as_wg_does() {
        let peer = PeerSpec {
            remove: true,
            update_only: true,
            allowed_ips: addresses(1000),
            ..PeerSpec::new("dCzlXpiyyx+ckVCweMR5+b04WKF4zBjKykt9Tccy1A0=".parse().unwrap())
        };
        let [message] =
            <[_; 1]>::try_from(set(2, &WireGuardSpec { peers: vec![peer], ..WireGuardSpec::default() }).unwrap())
                .unwrap();
        // wg(8) adds UPDATE_ONLY to REMOVE_ME.
        assert_eq!(bytes(message), recorded(include_bytes!("../../tests/recorded/wg-remove.bin"), 2));
    }

    #[test]
    fn a_link_without_peers_is_one_message() {
        let messages = set(2, &WireGuardSpec { listen_port: Some(0), ..WireGuardSpec::default() }).unwrap();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].attributes, [WireguardAttribute::IfIndex(2), WireguardAttribute::ListenPort(0)]);
    }

    #[test]
    fn many_peers_go_in_several_messages_of_which_the_first_replaces() {
        let spec = WireGuardSpec {
            listen_port: Some(51820),
            replace_peers: true,
            peers: (0..2000).map(|number| PeerSpec { allowed_ips: addresses(2), ..peer(number) }).collect(),
            ..WireGuardSpec::default()
        };
        let messages = set(2, &spec).unwrap();
        assert!(messages.len() > 10);
        assert!(messages.iter().all(|message| message.buffer_len() < PEERS + 100));
        assert_eq!(messages.iter().map(|message| peers(message).len()).sum::<usize>(), 2000);
        let replace = WireguardAttribute::Flags(WireguardDeviceFlags::ReplacePeers);
        assert!(messages[0].attributes.contains(&replace));
        for message in &messages[1..] {
            assert_eq!(message.attributes.len(), 2, "the index and the peers");
        }
    }

    #[test]
    fn a_peer_of_many_addresses_goes_on_in_the_next_message_without_replacing() {
        let mut one = PeerSpec {
            preshared_key: Some(crate::SecretKey::generate_preshared().unwrap()),
            replace_allowed_ips: true,
            update_only: true,
            allowed_ips: addresses(5000),
            ..peer(0)
        };
        let messages = set(2, &WireGuardSpec { peers: vec![one.clone()], ..WireGuardSpec::default() }).unwrap();
        assert!(messages.iter().all(|message| message.buffer_len() < PEERS + 100));
        let pieces: Vec<_> = messages.iter().flat_map(peers).collect();
        assert_eq!(pieces.len(), 5000_usize.div_ceil(ADDRESSES));
        assert_eq!(flags(pieces[0]), WireguardPeerFlags::UpdateOnly | WireguardPeerFlags::ReplaceAllowedIps);
        for piece in &pieces[1..] {
            assert_eq!((piece.len(), flags(piece)), (3, WireguardPeerFlags::UpdateOnly));
        }

        one.update_only = false;
        let messages = set(2, &WireGuardSpec { peers: vec![one], ..WireGuardSpec::default() }).unwrap();
        assert!(messages[1..].iter().flat_map(peers).all(|piece| flags(piece).is_empty()));
    }
}
