//! Connections that no handle of Node.js has yet.

use std::{
    collections::HashMap,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, futures::OwnedNotified};

enum Connection {
    Connecting(Arc<Notify>),
    Connected(OwnedFd),
}

/// The connections of one network, by number.
#[derive(Clone, Default)]
pub struct Connections(Arc<Mutex<HashMap<u32, Connection>>>);

impl Connections {
    /// A connection begins; what comes back ends when it is dropped.
    pub fn begin(&self, id: u32) -> OwnedNotified {
        let dropped = Arc::<Notify>::default();
        self.all().insert(id, Connection::Connecting(Arc::clone(&dropped)));
        dropped.notified_owned()
    }

    /// Keeps a connection until it is taken, if it has not been dropped.
    pub fn keep(&self, id: u32, socket: OwnedFd) {
        if let Some(connection) = self.all().get_mut(&id) {
            *connection = Connection::Connected(socket);
        }
    }

    pub fn take(&self, id: u32) -> Option<OwnedFd> {
        match self.all().remove(&id) {
            Some(Connection::Connected(socket)) => Some(socket),
            _ => None,
        }
    }

    pub fn drop_one(&self, id: u32) {
        if let Some(connection) = self.all().remove(&id) {
            connection.end();
        }
    }

    pub fn drop_all(&self) {
        for (_, connection) in self.all().drain() {
            connection.end();
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u32, Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    fn end(self) {
        if let Self::Connecting(dropped) = self {
            dropped.notify_one();
        }
    }
}
