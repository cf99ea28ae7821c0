//! Bytes of a packet: loads them, or writes them.

use crate::firewall::expression::field::expression;

/// Bases of an offset: `NFT_PAYLOAD_*_HEADER`.
pub(crate) const LINK: u32 = 0;
pub(crate) const NETWORK: u32 = 1;
pub(crate) const TRANSPORT: u32 = 2;

/// `NFT_PAYLOAD_CSUM_INET`.
pub(crate) const CHECKSUM_INET: u32 = 1;

expression! {
    /// Loads into `target`, or writes from `source`.
    Payload = "payload" {
        1 => target: Option<u32>,
        2 => base: u32,
        3 => offset: u32,
        4 => length: u32,
        5 => source: Option<u32>,
        6 => checksum_type: Option<u32>,
        7 => checksum_offset: Option<u32>,
        8 => checksum_flags: Option<u32>,
    }
}
