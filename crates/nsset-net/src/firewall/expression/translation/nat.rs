//! Changes an address.

use crate::firewall::expression::field::expression;

/// `NFT_NAT_*`.
pub(crate) const SOURCE: u32 = 0;
pub(crate) const DESTINATION: u32 = 1;

expression! {
    /// The numbers of registers with the first and the last address and port.
    Nat = "nat" {
        1 => kind: u32,
        2 => family: u32,
        3 => address: Option<u32>,
        4 => last_address: Option<u32>,
        5 => port: Option<u32>,
        6 => last_port: Option<u32>,
        7 => flags: Option<u32>,
    }
}
