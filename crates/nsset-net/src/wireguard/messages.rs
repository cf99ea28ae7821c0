//! What is sent to the kernel about a WireGuard link, in messages that it takes.

use netlink_packet_core::Emitable;
use netlink_packet_wireguard::{
    WireguardAddressFamily, WireguardAllowedIp, WireguardAllowedIpAttr, WireguardAttribute, WireguardCmd,
    WireguardDeviceFlags, WireguardMessage, WireguardPeer, WireguardPeerAttribute, WireguardPeerFlags,
};

use super::spec::{PeerSpec, WireGuardSpec};
use crate::{cidr::Cidr, error::Result};

/// How many bytes of peers a message has at most. The length of an attribute is 16 bits.
const PEERS: usize = 16 * 1024;

/// How many of a peer's addresses a message has at most; one is 40 bytes at most.
const ADDRESSES: usize = 256;

/// Asks for everything about the link of this index.
pub(super) fn get(index: u32) -> WireguardMessage {
    WireguardMessage { cmd: WireguardCmd::GetDevice, attributes: vec![WireguardAttribute::IfIndex(index)] }
}

/// Tells the link of this index what is to become of it, message by message.
pub(super) fn set(index: u32, spec: &WireGuardSpec) -> Result<Vec<WireguardMessage>> {
    let mut attributes = device(spec);
    let mut messages = Vec::new();
    let mut end = |peers: Vec<WireguardPeer>| {
        let mut message = vec![WireguardAttribute::IfIndex(index)];
        // The first message says it: a second would take away the peers of the first.
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

/// All but the peers.
fn device(spec: &WireGuardSpec) -> Vec<WireguardAttribute> {
    let attributes = [
        spec.private_key.as_ref().map(|key| WireguardAttribute::PrivateKey(*key.as_bytes())),
        spec.listen_port.map(WireguardAttribute::ListenPort),
        spec.fwmark.map(WireguardAttribute::Fwmark),
        spec.replace_peers.then_some(WireguardAttribute::Flags(WireguardDeviceFlags::ReplacePeers)),
    ];
    attributes.into_iter().flatten().collect()
}

/// A peer, cut where it has too many addresses. The first piece says what else there is to say.
fn pieces(peer: &PeerSpec) -> Result<Vec<WireguardPeer>> {
    if peer.remove {
        return Ok(vec![piece(peer, WireguardPeerFlags::RemoveMe, Vec::new(), &[])]);
    }
    let update_only = if peer.update_only { WireguardPeerFlags::UpdateOnly } else { WireguardPeerFlags::empty() };
    let replace =
        if peer.replace_allowed_ips { WireguardPeerFlags::ReplaceAllowedIps } else { WireguardPeerFlags::empty() };
    let rest = [
        peer.preshared_key.as_ref().map(|key| WireguardPeerAttribute::PresharedKey(*key.as_bytes())),
        peer.endpoint.map(WireguardPeerAttribute::Endpoint),
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
    addresses: &[Cidr],
) -> WireguardPeer {
    let mut attributes = vec![WireguardPeerAttribute::PublicKey(peer.public_key.0)];
    if !flags.is_empty() {
        attributes.push(WireguardPeerAttribute::Flags(flags));
    }
    attributes.extend(rest);
    if !addresses.is_empty() {
        attributes.push(WireguardPeerAttribute::AllowedIps(addresses.iter().map(allowed_ip).collect()));
    }
    WireguardPeer(attributes)
}

fn allowed_ip(cidr: &Cidr) -> WireguardAllowedIp {
    let is_ipv4 = cidr.address.is_ipv4();
    WireguardAllowedIp(vec![
        WireguardAllowedIpAttr::Family(if is_ipv4 {
            WireguardAddressFamily::Ipv4
        } else {
            WireguardAddressFamily::Ipv6
        }),
        WireguardAllowedIpAttr::IpAddr(cidr.address),
        WireguardAllowedIpAttr::Cidr(cidr.prefix_length),
    ])
}
