//! Child processes: how they start, and how they are reaped.

pub mod ended;
pub mod init;
pub mod named_view;
pub mod pidfd;
pub mod reaper;
pub mod spawn;
pub mod stdio;
