//! The open sockets of a network.

use std::sync::{Arc, Mutex, PoisonError};

use nsset::Error;

use crate::network::sockets::Sockets;

/// The open sockets of a network; `None` after it is closed.
pub type Inside = Arc<Mutex<Option<Arc<Sockets>>>>;

/// Returns the sockets, or an error if the network is closed.
pub fn open(inside: &Inside) -> nsset::Result<Arc<Sockets>> {
    inside.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::Closed)
}
