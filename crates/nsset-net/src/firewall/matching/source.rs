//! Where the kernel gets values, and what has a name of them.

use super::data_type::DataType;

/// What a packet must be for a selector to make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requirement {
    Ether,
    /// With the tag of a VLAN.
    Vlan,
    Ipv4,
    Ipv6,
    Arp,
    /// The number of a protocol above IP.
    Protocol(u8),
}

/// A selector that has a name.
#[derive(Debug)]
pub(crate) struct Known {
    pub name: &'static str,
    pub source: Source,
    pub data: &'static DataType,
    pub bits: Option<Bits>,
    pub requires: &'static [Requirement],
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Where the kernel gets the value of a selector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Source {
    /// A base of `payload`, an offset and a length in bytes.
    Payload(u32, u32, u32),
    /// A key of `meta`.
    Meta(u32),
    /// A key of `ct`, and a direction.
    Ct(u32, Option<u8>),
    /// A result of `fib`, and flags.
    Fib(u32, u32),
    Header(Header),
    /// A key of `rt`.
    Route(u32),
    /// A key of `socket`, and the level of a control group.
    Socket(u32, Option<u32>),
    /// How `osf` compares times to live, and flags.
    Fingerprint(u8, u32),
    /// A key of `xfrm`, a direction, and the position among the transformations.
    Ipsec(u32, u8, u32),
    Numbers(Numbers),
    Hash(Hashed),
}

/// A header behind the first one, or an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// `NFT_EXTHDR_OP_*`.
    pub operation: u32,
    pub kind: u8,
    /// In bytes, as the length.
    pub offset: u32,
    pub length: u32,
    /// Whether the question is if there is one.
    pub is_presence: bool,
}

/// Numbers below a modulus, which start at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// `NFT_NG_*`.
    pub kind: u32,
    pub modulus: u32,
    pub offset: u32,
}

/// How many selectors a hash can have.
pub(crate) const HASHED: usize = 4;

/// A hash below a modulus, which starts at an offset: of selectors or, without them, that of the connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hashed {
    pub keys: [Option<&'static Known>; HASHED],
    pub modulus: u32,
    pub seed: Option<u32>,
    pub offset: u32,
}

/// Some bits of a value in the order of the network: their mask, and how far they are shifted to the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bits {
    pub mask: u32,
    pub shift: u8,
}

impl Bits {
    /// Returns the bits that a mask has, if they are in one piece and not all.
    pub fn of(mask: &[u8]) -> Option<Self> {
        if mask.len() > 4 {
            return None;
        }
        let bits = mask.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        (bits != 0).then(|| Self { mask: bits, shift: bits.trailing_zeros() as u8 })
    }

    /// The mask as bytes.
    pub fn bytes(self, size: usize) -> Vec<u8> {
        bytes(self.mask, size)
    }

    /// Shifts a value to where the bits are.
    pub fn place(self, value: &mut [u8]) {
        self.shift_with(value, |number, shift| number << shift);
    }

    /// Shifts the bits to where a value is.
    pub fn take(self, value: &mut [u8]) {
        self.shift_with(value, |number, shift| number >> shift);
    }

    fn shift_with(self, value: &mut [u8], shift: impl Fn(u32, u8) -> u32) {
        let number = value.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
        let shifted = bytes(shift(number, self.shift), value.len());
        value.copy_from_slice(&shifted);
    }
}

/// The last bytes of a number, of which values have at most four.
fn bytes(number: u32, size: usize) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    bytes.get(4_usize.saturating_sub(size)..).unwrap_or_default().to_vec()
}
