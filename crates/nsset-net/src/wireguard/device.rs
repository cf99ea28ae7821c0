//! Reads a WireGuard link's keys and peers.

use netlink_packet_generic::constants::GENL_HDRLEN;
use serde::Serialize;
use serde_with::skip_serializing_none;

use super::{peer::Peer, public_key::PublicKey, secret_key::SecretKey};
use crate::netlink::attributes::{Attributes, Malformed, array_at, u16_at, u32_at};

/// The keys, peers and other settings of a WireGuard link.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WireGuard {
    /// The public key, if the link has a private key.
    pub public_key: Option<PublicKey>,
    pub private_key: Option<SecretKey>,
    /// The UDP port. 0 if the kernel will choose one when the link is brought up.
    pub listen_port: u16,
    /// The mark of outgoing packets; 0 means none.
    pub fwmark: u32,
    pub peers: Vec<Peer>,
}

// `enum wgdevice_attribute` of linux/wireguard.h.
const WGDEVICE_A_PRIVATE_KEY: u16 = 3;
const WGDEVICE_A_PUBLIC_KEY: u16 = 4;
const WGDEVICE_A_LISTEN_PORT: u16 = 6;
const WGDEVICE_A_FWMARK: u16 = 7;
const WGDEVICE_A_PEERS: u16 = 8;

impl WireGuard {
    /// Reads the body of a message of `WG_CMD_GET_DEVICE`. The first message has everything except some of the peers.
    pub(crate) fn read(message: &[u8]) -> Result<Self, Malformed> {
        let mut device = Self::default();
        for attribute in Attributes::behind(GENL_HDRLEN, message)? {
            match attribute? {
                (WGDEVICE_A_PRIVATE_KEY, value) => device.private_key = SecretKey::from_kernel(array_at(value, 0)?),
                (WGDEVICE_A_PUBLIC_KEY, value) => device.public_key = Some(PublicKey(array_at(value, 0)?)),
                (WGDEVICE_A_LISTEN_PORT, value) => device.listen_port = u16_at(value, 0)?,
                (WGDEVICE_A_FWMARK, value) => device.fwmark = u32_at(value, 0)?,
                (WGDEVICE_A_PEERS, value) => {
                    for peer in Attributes::within(value) {
                        device.peers.push(Peer::read(peer?.1)?);
                    }
                }
                _ => {}
            }
        }
        Ok(device)
    }

    /// Adds the peers of the next message. Its first peer may be the last one of this, with more addresses: get_peer() of
    /// drivers/net/wireguard/netlink.c.
    #[must_use]
    pub(crate) fn continued_by(mut self, next: Self) -> Self {
        let mut peers = next.peers.into_iter().peekable();
        if let Some(last) = self.peers.last_mut()
            && let Some(more) = peers.next_if(|peer| peer.public_key == last.public_key)
        {
            last.allowed_ips.extend(more.allowed_ips);
        }
        self.peers.extend(peers);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use serde_json::{json, to_value};

    use super::*;

    const RECORDED: &[u8] = include_bytes!("../../tests/recorded/wireguard.bin");

    /// Returns the body of the first message of an answer.
    fn body(answer: &[u8]) -> &[u8] {
        &answer[16..u32_at(answer, 0).unwrap() as usize]
    }

    fn peer(number: u8, addresses: &[&str]) -> Peer {
        let mut peer = WireGuard::read(body(RECORDED)).unwrap().peers.remove(0);
        peer.public_key = PublicKey([number; 32]);
        peer.allowed_ips = addresses.iter().map(|text| text.parse().unwrap()).collect();
        peer
    }

    fn device(peers: Vec<Peer>) -> WireGuard {
        WireGuard { peers, ..WireGuard::default() }
    }

    /// Compares with the output of `wg show wg0 dump` at the same time.
    #[test]
    fn it_is_read_as_wg_reads_it() {
        let device = WireGuard::read(body(RECORDED)).unwrap();
        assert_eq!(device.public_key.unwrap().to_string(), "xDCjraq9Iw8HP5GD32R5xfHamKj11b+2V2chWgnz1S4=");
        assert_eq!(device.private_key.unwrap().to_base64(), "+JrJi1s4cy+Uj9YQ/GwkzEYSg4SgFuAEE1KdR0spx3o=");
        assert_eq!((device.listen_port, device.fwmark), (51820, 7));
        let [one, other] = <[_; 2]>::try_from(device.peers).unwrap();
        assert_eq!(one.public_key.to_string(), "+a8E+0EiKu3+F4J9qXFohtlIaWVPV5LmWaZSkdqCPF4=");
        let preshared = one.preshared_key.map(|key| key.to_base64());
        assert_eq!(preshared.as_deref(), Some("68I8KBhiQlOmuYRH1onDOWYeqe7+DnPNA1aoNZC3zUg="));
        assert_eq!(one.endpoint.unwrap().to_string(), "192.0.2.1:51821");
        assert_eq!(one.persistent_keepalive, Some(Duration::from_secs(25)));
        assert_eq!(one.allowed_ips, ["10.9.0.0/24", "fd00:9::/64"].map(|text| text.parse().unwrap()));
        assert_eq!((one.last_handshake, one.protocol_version), (None, 1));
        assert_eq!((one.received_bytes, one.sent_bytes), (0, 0));
        assert_eq!(other.endpoint.unwrap().to_string(), "[2001:db8::1]:51822");
        assert_eq!((other.preshared_key, other.persistent_keepalive), (None, None));
    }

    #[test]
    fn a_peer_goes_on_in_the_next_message() {
        let first = WireGuard { listen_port: 1, ..device(vec![peer(1, &["10.0.0.0/8"]), peer(2, &["fd00::/64"])]) };
        let second = device(vec![Peer { persistent_keepalive: None, ..peer(2, &["fd01::/64"]) }]);
        let third = device(vec![peer(2, &["fd02::/64"]), peer(3, &[])]);
        let whole = [first, second, third].into_iter().reduce(WireGuard::continued_by).unwrap();
        let two = peer(2, &["fd00::/64", "fd01::/64", "fd02::/64"]);
        assert_eq!(whole, WireGuard { listen_port: 1, ..device(vec![peer(1, &["10.0.0.0/8"]), two, peer(3, &[])]) });
    }

    #[test]
    fn it_is_data_as_javascript_reads_it() {
        let mut read = WireGuard::read(body(RECORDED)).unwrap();
        let data = to_value(&read).unwrap();
        assert_eq!(data["privateKey"], "+JrJi1s4cy+Uj9YQ/GwkzEYSg4SgFuAEE1KdR0spx3o=");
        let other = json!({
            "publicKey": "SCrbcmhd4bVex7n0h6fiF2R9RPCR8MHSr86zpUBwXgg=",
            "endpoint": "[2001:db8::1]:51822",
            "allowedIps": ["10.9.1.0/24"],
            "receivedBytes": 0,
            "sentBytes": 0,
            "protocolVersion": 1,
        });
        assert_eq!(data["peers"][1], other);
        let handshake = UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_500);
        read.peers[1].last_handshake = Some(handshake);
        let reported = to_value(&read.peers[1]).unwrap()["lastHandshake"].as_f64().unwrap();
        assert!((reported - 1_700_000_000_123.5).abs() < 0.001, "{reported}");
    }
}
