//! Where the kernel gets values.

/// Where the kernel gets the value of a selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A base of `payload`, an offset and a length in bytes.
    Payload(u32, u32, u32),
    /// A key of `meta`.
    Meta(u32),
    /// A key of `ct`, and a direction.
    Ct(u32, Option<u8>),
    /// A result of `fib`, and flags.
    Fib(u32, u32),
}

/// Some bits of a byte: their mask, and how far they are shifted to the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bits {
    pub mask: u8,
    pub shift: u8,
}
