//! Headers behind the first one: extension headers of IPv6, options of TCP and IPv4, chunks of SCTP.

use crate::firewall::expression::field::expression;

/// `NFT_EXTHDR_OP_*`.
pub(crate) const IPV6: u32 = 0;
pub(crate) const TCP_OPTION: u32 = 1;
pub(crate) const IPV4_OPTION: u32 = 2;
pub(crate) const SCTP_CHUNK: u32 = 3;

/// `NFT_EXTHDR_F_PRESENT`: asks whether there is one.
pub(crate) const PRESENT: u32 = 1;

expression! {
    /// Loads into `target`, or writes from `source`. Without both, it removes an option of TCP.
    Exthdr = "exthdr" {
        1 => target: Option<u32>,
        2 => kind: u8,
        3 => offset: Option<u32>,
        4 => length: Option<u32>,
        5 => flags: Option<u32>,
        6 => operation: Option<u32>,
        7 => source: Option<u32>,
    }
}
