//! What the tests of filters share.

pub mod machine;
pub mod packets;
pub mod tcpdump;
