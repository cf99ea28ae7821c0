//! What happens when the addon is loaded: its threads, libuv's pool, and other copies of it.

pub mod copies;
pub mod load;
pub mod pool;
pub mod start;
pub mod trial_threads;
