//! pcapng: draft-ietf-opsawg-pcapng. One section with one interface.

mod block;
mod section;

pub use section::{Section, Totals};
