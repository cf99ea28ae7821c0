//! Drops a packet and tells its sender.

use crate::firewall::expression::field::expression;

/// `NFT_REJECT_*`.
pub(crate) const ICMP: u32 = 0;
pub(crate) const TCP_RESET: u32 = 1;
pub(crate) const ICMPX: u32 = 2;

expression! {
    Reject = "reject" { 1 => kind: u32, 2 => code: Option<u8> }
}
