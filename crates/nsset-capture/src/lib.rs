//! Packets of a link, captured by a packet socket with a ring (packet(7)) that the caller creates in a network namespace, as pcapng.
//! Filters are classic BPF: compiled from a small language, or given as a program.
//!
//! Capturing runs on one thread for all captures, as a future. Opening does not wait.

mod capture;
mod compile;
mod engine;
mod error;
mod filter;
mod link_type;
mod options;
mod packets;
mod pcapng;
mod program;
mod ring;
mod shared;
mod socket;
mod syntax_error;

pub use capture::Capture;
pub use compile::compile;
pub use engine::Engine;
pub use error::{Error, Result};
pub use link_type::LinkType;
pub use options::{Direction, Filter, Options};
pub use pcapng::Totals;
pub use program::Instruction;
pub use shared::Reading;
pub use syntax_error::SyntaxError;
