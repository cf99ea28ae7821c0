//! Watches parts of a network: what the kernel reports to the groups of rtnetlink(7), as changes of the objects that lists have.

mod event;
mod firewall;
mod hub;
mod known;
mod object;
mod part;
mod queue;
mod route_loss;
mod subscription;

pub use part::{Lists as WatchedLists, WatchedPart, WatchedSource};
pub use subscription::{Watch, Watcher};
