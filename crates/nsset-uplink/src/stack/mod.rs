//! The TCP stack in user space, and its memory.

mod port;
mod room;
mod tcp_stack;

pub use room::{Budget, Half};
pub use tcp_stack::{StackSocket, TcpStack};
