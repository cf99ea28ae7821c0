//! Expressions that compare and convert registers, one in each file.

pub(crate) mod bitwise;
pub(crate) mod byteorder;
pub(crate) mod cmp;
pub(crate) mod lookup;
pub(crate) mod range;
