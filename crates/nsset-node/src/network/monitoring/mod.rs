//! What happens in a network: its changes, and its packets.

mod capture;
mod watcher;
