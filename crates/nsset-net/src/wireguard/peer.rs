//! A peer, as the kernel describes it.

use std::{
    net::{Ipv6Addr, SocketAddr, SocketAddrV6},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ipnet::IpNet;
use serde::Serialize;
use serde_with::{serde_as, skip_serializing_none};

use super::{endpoint::Endpoint, public_key::PublicKey, secret_key::SecretKey};
use crate::{
    milliseconds::Milliseconds,
    netlink::attributes::{Attributes, Malformed, array_at, ip, u8_at, u16_at, u32_at, u64_at},
};

/// A peer of a WireGuard link.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Peer {
    pub public_key: PublicKey,
    pub preshared_key: Option<SecretKey>,
    /// The address from which the last valid packet came, or the configured one.
    pub endpoint: Option<Endpoint>,
    /// The keepalive interval, if keepalive packets are sent.
    #[serde_as(as = "Option<Milliseconds>")]
    pub persistent_keepalive: Option<Duration>,
    /// The addresses that belong to the peer: packets to these addresses go to it, and its packets must come from these.
    pub allowed_ips: Vec<IpNet>,
    /// The time of the last handshake, if there was one.
    #[serde_as(as = "Option<Milliseconds>")]
    pub last_handshake: Option<SystemTime>,
    pub received_bytes: u64,
    pub sent_bytes: u64,
    /// The version of the protocol. Only 1 exists.
    pub protocol_version: u32,
}

// `enum wgpeer_attribute` and `enum wgallowedip_attribute` of linux/wireguard.h.
const WGPEER_A_PUBLIC_KEY: u16 = 1;
const WGPEER_A_PRESHARED_KEY: u16 = 2;
const WGPEER_A_ENDPOINT: u16 = 4;
const WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL: u16 = 5;
const WGPEER_A_LAST_HANDSHAKE_TIME: u16 = 6;
const WGPEER_A_RX_BYTES: u16 = 7;
const WGPEER_A_TX_BYTES: u16 = 8;
const WGPEER_A_ALLOWEDIPS: u16 = 9;
const WGPEER_A_PROTOCOL_VERSION: u16 = 10;
const WGALLOWEDIP_A_IPADDR: u16 = 2;
const WGALLOWEDIP_A_CIDR_MASK: u16 = 3;

impl Peer {
    /// Reads a peer in `WGDEVICE_A_PEERS`. A peer that continues one of the previous message has only its key and more addresses.
    pub(super) fn read(attributes: &[u8]) -> Result<Self, Malformed> {
        let mut public_key = None;
        let mut peer = Self {
            public_key: PublicKey([0; 32]),
            preshared_key: None,
            endpoint: None,
            persistent_keepalive: None,
            allowed_ips: Vec::new(),
            last_handshake: None,
            received_bytes: 0,
            sent_bytes: 0,
            protocol_version: 0,
        };
        for attribute in Attributes::within(attributes) {
            match attribute? {
                (WGPEER_A_PUBLIC_KEY, value) => public_key = Some(PublicKey(array_at(value, 0)?)),
                (WGPEER_A_PRESHARED_KEY, value) => peer.preshared_key = SecretKey::from_kernel(array_at(value, 0)?),
                (WGPEER_A_ENDPOINT, value) => peer.endpoint = Some(endpoint(value)?.into()),
                (WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, value) => {
                    let seconds = u16_at(value, 0)?;
                    peer.persistent_keepalive = (seconds != 0).then(|| Duration::from_secs(seconds.into()));
                }
                (WGPEER_A_LAST_HANDSHAKE_TIME, value) => peer.last_handshake = handshake(value)?,
                (WGPEER_A_RX_BYTES, value) => peer.received_bytes = u64_at(value, 0)?,
                (WGPEER_A_TX_BYTES, value) => peer.sent_bytes = u64_at(value, 0)?,
                (WGPEER_A_ALLOWEDIPS, value) => peer.allowed_ips = allowed_ips(value)?,
                (WGPEER_A_PROTOCOL_VERSION, value) => peer.protocol_version = u32_at(value, 0)?,
                _ => {}
            }
        }
        Ok(Self { public_key: public_key.ok_or(Malformed)?, ..peer })
    }
}

/// `struct sockaddr_in` or `struct sockaddr_in6`: ip(7), ipv6(7).
fn endpoint(value: &[u8]) -> Result<SocketAddr, Malformed> {
    let port = u16::from_be_bytes(array_at(value, 2)?);
    match i32::from(u16_at(value, 0)?) {
        libc::AF_INET => Ok((array_at::<4>(value, 4)?, port).into()),
        libc::AF_INET6 => {
            let address = Ipv6Addr::from(array_at::<16>(value, 8)?);
            Ok(SocketAddrV6::new(address, port, u32_at(value, 4)?, u32_at(value, 24)?).into())
        }
        _ => Err(Malformed),
    }
}

/// `struct __kernel_timespec`, with only zeros if there was no handshake.
fn handshake(value: &[u8]) -> Result<Option<SystemTime>, Malformed> {
    let (seconds, nanoseconds) = (u64_at(value, 0)?, u64_at(value, 8)?);
    if (seconds, nanoseconds) == (0, 0) {
        return Ok(None);
    }
    let nanoseconds = u32::try_from(nanoseconds).ok().filter(|nanoseconds| *nanoseconds < 1_000_000_000);
    let since_epoch = Duration::new(seconds, nanoseconds.ok_or(Malformed)?);
    UNIX_EPOCH.checked_add(since_epoch).map(Some).ok_or(Malformed)
}

fn allowed_ips(value: &[u8]) -> Result<Vec<IpNet>, Malformed> {
    Attributes::within(value).map(|attribute| attribute.and_then(|(_, value)| allowed_ip(value))).collect()
}

fn allowed_ip(value: &[u8]) -> Result<IpNet, Malformed> {
    let mut address = Err(Malformed);
    let mut prefix_length = Err(Malformed);
    for attribute in Attributes::within(value) {
        match attribute? {
            (WGALLOWEDIP_A_IPADDR, value) => address = ip(value),
            (WGALLOWEDIP_A_CIDR_MASK, value) => prefix_length = u8_at(value, 0),
            _ => {}
        }
    }
    IpNet::new(address?, prefix_length?).map_err(|_| Malformed)
}
