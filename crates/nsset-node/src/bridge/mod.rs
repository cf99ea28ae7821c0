//! The one way from the threads that do the work back to JavaScript: promises that any thread settles.

pub mod deferred;
pub mod settler;
pub mod work;
