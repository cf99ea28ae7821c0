//! Whether an address is one of the machine itself.

use std::{
    cell::Cell,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use socket2::{Domain, Protocol, Socket, Type};

/// How long an answer of the kernel is used again: connections often begin together.
const LONGEST: Duration = Duration::from_millis(100);

/// Asks the kernel for its own addresses.
#[derive(Debug, Default)]
pub struct OwnAddresses {
    last: Cell<Option<(IpAddr, Instant, bool)>>,
}

impl OwnAddresses {
    pub fn has(&self, address: IpAddr) -> bool {
        if let Some((last, since, is_own)) = self.last.get()
            && last == address
            && since.elapsed() < LONGEST
        {
            return is_own;
        }
        let is_own = is_own(address);
        self.last.set(Some((address, Instant::now(), is_own)));
        is_own
    }
}

/// The kernel sends to its own addresses from the same address. Nothing is sent.
fn is_own(address: IpAddr) -> bool {
    let to = SocketAddr::new(address, 9);
    let local = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP)).and_then(|socket| {
        socket.connect(&to.into())?;
        socket.local_addr()
    });
    let local = local.ok().and_then(|local| local.as_socket());
    local.is_some_and(|local| local.ip() == address || local.ip().is_loopback())
}
