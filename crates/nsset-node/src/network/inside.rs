//! What is open of a network, until it is closed.

use std::sync::{Arc, Mutex, PoisonError};

use nsset::Error;

use crate::network::sockets::Sockets;

/// What is open of a network; nothing once it is closed.
pub type Inside = Arc<Mutex<Option<Arc<Sockets>>>>;

/// What is open, or the error that it is closed.
pub fn open(inside: &Inside) -> nsset::Result<Arc<Sockets>> {
    inside.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::Closed)
}
