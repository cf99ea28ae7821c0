//! A WireGuard link's keys and peers, as the kernel describes them.

use netlink_packet_generic::constants::GENL_HDRLEN;
use serde::{Deserialize, Serialize};

use super::{peer::Peer, public_key::PublicKey, secret_key::SecretKey};
use crate::attributes::{Attributes, Malformed, array_at, u16_at, u32_at};

/// What a WireGuard link has beside what all links have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WireGuard {
    /// That of its private key, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<PublicKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<SecretKey>,
    /// The UDP port; 0 where it has none yet, which it finds when it is brought up.
    pub listen_port: u16,
    /// The mark of the packets that go out; 0 is none.
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
    /// Reads the body of one of the messages of `WG_CMD_GET_DEVICE`. The first says it all but for some of the peers.
    pub(crate) fn read(message: &[u8]) -> Result<Self, Malformed> {
        let mut device = Self::default();
        for attribute in Attributes::behind(GENL_HDRLEN, message)? {
            match attribute? {
                (WGDEVICE_A_PRIVATE_KEY, value) => device.private_key = SecretKey::unless_none(array_at(value, 0)?),
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

    /// The same with the peers of the next message. Its first may be our last, with more addresses: wg_get_device_dump() of
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
