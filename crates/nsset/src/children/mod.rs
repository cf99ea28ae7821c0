//! The children of this process: how they are signalled, continued after another process has stopped them, and reaped.

pub mod ended;
pub mod init;
pub mod patience;
pub mod pidfd;
pub mod process_group;
pub mod reaper;
pub mod stopped;
pub mod traced;
