//! What happens when the addon is loaded: it starts its threads and libuv's pool, and finds other copies of itself.

pub mod copies;
pub mod load;
pub mod pool;
pub mod start;
pub mod trial_threads;
