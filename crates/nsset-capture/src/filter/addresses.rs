//! Addresses, networks and numbers in a filter.

use std::{net::Ipv4Addr, num::ParseIntError};

use super::expression::Network;

/// Reads an address.
pub fn host(text: &str) -> Option<Network> {
    let v4 = || Some(Network::V4 { address: text.parse().ok()?, mask: u32::MAX });
    let v6 = || Some(Network::V6 { address: text.parse().ok()?, mask: u128::MAX });
    v4().or_else(v6)
}

/// Reads a network: `10.0.0.0/8`, `2001:db8::/32`, an address, or the first bytes of one, such as `192.168`.
///
/// # Errors
/// What is wrong.
pub fn network(text: &str) -> Result<Network, String> {
    let Some((address, length)) = text.split_once('/') else {
        return host(text)
            .or_else(|| short(text))
            .ok_or_else(|| format!("expected a network, such as 10.0.0.0/8, found '{text}'"));
    };
    let length = number(length).map_err(|_| format!("'{length}' is not the length of a prefix"))?;
    let network = match host(address).or_else(|| short(address)) {
        Some(Network::V4 { address, .. }) if length <= 32 => {
            Network::V4 { address, mask: u32::MAX.checked_shl(32 - length).unwrap_or(0) }
        }
        Some(Network::V6 { address, .. }) if length <= 128 => {
            Network::V6 { address, mask: u128::MAX.checked_shl(128 - length).unwrap_or(0) }
        }
        Some(_) => return Err(format!("the prefix of '{text}' is longer than the address")),
        None => return Err(format!("expected a network, such as 10.0.0.0/8, found '{text}'")),
    };
    without_host(network, text)
}

/// Reads a network of IPv4 with a mask: `10.0.0.0 mask 255.0.0.0`.
///
/// # Errors
/// What is wrong.
pub fn masked(address: &str, mask: &str) -> Result<Network, String> {
    let read = |text: &str| text.parse::<Ipv4Addr>().map_err(|_| format!("expected an IPv4 address, found '{text}'"));
    let network = Network::V4 { address: read(address)?, mask: read(mask)?.to_bits() };
    without_host(network, address)
}

/// Refuses a network that no packet could match.
fn without_host(network: Network, text: &str) -> Result<Network, String> {
    let has_more = match network {
        Network::V4 { address, mask } => address.to_bits() & !mask != 0,
        Network::V6 { address, mask } => address.to_bits() & !mask != 0,
    };
    if has_more { Err(format!("'{text}' has bits set behind the prefix")) } else { Ok(network) }
}

/// The first bytes of an IPv4 address.
fn short(text: &str) -> Option<Network> {
    let bytes: Vec<u8> = text.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    if bytes.len() > 3 {
        return None;
    }
    let mut whole = [0; 4];
    for (to, from) in whole.iter_mut().zip(&bytes) {
        *to = *from;
    }
    let mask = u32::MAX << (32 - 8 * bytes.len());
    Some(Network::V4 { address: whole.into(), mask })
}

/// Reads the address of a network card.
pub fn hardware(text: &str) -> Option<[u8; 6]> {
    let bytes: Vec<u8> = text
        .split([':', '-'])
        .map(|part| if part.len() <= 2 { u8::from_str_radix(part, 16).ok() } else { None })
        .collect::<Option<_>>()?;
    bytes.try_into().ok()
}

/// Reads a number: decimal, or hexadecimal after `0x`.
pub fn number(text: &str) -> Result<u32, ParseIntError> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    }
}
