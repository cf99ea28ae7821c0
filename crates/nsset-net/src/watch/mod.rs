//! Watches parts of a network: what the kernel reports to the groups of rtnetlink(7), as changes of the objects that lists have.

mod bridging;
mod event;
mod firewall;
mod hub;
mod known;
mod object;
mod part;
mod queue;
mod queueing;
mod subscription;
mod unannounced;
mod verb;

pub use part::{Lists as WatchedLists, WatchedPart, WatchedSource};
pub use subscription::{Watch, Watcher};
