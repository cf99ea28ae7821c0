//! The language of filters, which is that of tcpdump in its most used parts: pcap-filter(7).

mod addresses;
mod bytes;
mod expression;
mod layout;
mod lower;
mod parser;
mod primitive;
mod token;

pub use layout::Layout;
pub use lower::lower;
pub use parser::parse;
