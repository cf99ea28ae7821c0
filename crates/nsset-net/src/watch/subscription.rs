//! The socket that receives the notifications of a network, for all its watchers.

use std::{
    os::fd::OwnedFd,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::{Either, select};
use nix::errno::Errno;
use rtnetlink::sys::Socket;
use tokio::{
    io::unix::AsyncFd,
    sync::Notify,
    task::yield_now,
    time::{Instant, sleep, sleep_until},
};

use super::{
    hub::{Batch, Hub},
    part::{Lists, WatchedPart},
};
use crate::{
    error::{Error, NetlinkError, Result},
    netlink::answer::Message,
    netlink::attributes::Malformed,
    netlink::buffer::Buffer,
    netlink::socket::{self, Group},
};

/// The kernel puts one object into a notification. A link with hundreds of alternative names needs this much.
const DATAGRAM: usize = 64 * 1024;

/// After this many notifications, requests get their turn.
const TURN: usize = 64;

/// How long a list waits that was not consistent.
const PAUSE: Duration = Duration::from_millis(10);

/// After a list of the packet filter, the next one waits for as long as that took, and at most for this.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// Receives the notifications of a network while it has watchers.
pub struct Watch {
    state: Mutex<State>,
    /// Notified when watchers come or go, and when the watch ends.
    attention: Notify,
}

struct State {
    /// `None` after the end.
    socket: Option<Arc<Socket>>,
    hub: Hub,
    groups: Vec<Group>,
}

impl Watch {
    /// Takes a socket of `AF_NETLINK`, of the protocol of its source, that no other code uses.
    pub fn open(socket: OwnedFd) -> Result<Arc<Self>> {
        let socket = Arc::new(socket::own(socket));
        socket::prepare(&socket).map_err(|error| NetlinkError::from(error).of("setsockopt", ""))?;
        socket::enlarge_buffer(&socket);
        let state = State { socket: Some(socket), hub: Hub::default(), groups: Vec::new() };
        Ok(Arc::new(Self { state: Mutex::new(state), attention: Notify::new() }))
    }

    /// Adds a watcher of these parts. The kernel queues notifications when this returns. `None` if the watch has ended, because it
    /// had no watchers: the caller needs another one.
    pub fn add(self: &Arc<Self>, parts: &[WatchedPart], wants_existing: bool) -> Result<Option<Watcher>> {
        let mut state = self.lock();
        let Some(socket) = state.socket.clone() else { return Ok(None) };
        for group in parts.iter().flat_map(|part| part.groups()) {
            if !state.groups.contains(group) {
                join(&socket, *group)?;
                state.groups.push(*group);
            }
        }
        let number = state.hub.add(parts, wants_existing);
        drop(state);
        self.attention.notify_one();
        Ok(Some(Watcher { watch: Arc::clone(self), number }))
    }

    fn remove(&self, number: u64) {
        let mut state = self.lock();
        state.hub.remove(number);
        let needed: Vec<Group> = state.hub.parts().flat_map(WatchedPart::groups).copied().collect();
        let socket = state.socket.clone();
        for group in state.groups.extract_if(.., |group| !needed.contains(group)) {
            // What still arrives is ignored.
            let _ = socket.as_ref().map(|socket| socket.drop_membership(group.number()));
        }
        let wakes = state.hub.take_wakes();
        drop(state);
        for wake in wakes {
            wake();
        }
        self.attention.notify_one();
    }

    /// Ends all watchers, with an error if there is one, and closes the socket.
    pub fn end(&self, outcome: Result<()>) {
        self.lock().socket = None;
        self.with(|hub| hub.end(outcome));
        self.attention.notify_one();
    }

    /// Receives notifications until there are no watchers, or `end` is called. Needs a tokio runtime.
    pub async fn run(&self, lists: Lists<'_>) {
        let Some(socket) = self.lock().socket.clone() else { return };
        let outcome = self.receive_all(socket, lists).await;
        self.end(outcome);
    }

    async fn receive_all(&self, socket: Arc<Socket>, lists: Lists<'_>) -> Result<()> {
        let ready = socket::watch_shared(socket);
        let ready = ready.map_err(|error| NetlinkError::from(error).of("epoll_ctl", ""))?;
        while self.goes_on() {
            if !self.drain(ready.get_ref())? {
                yield_now().await;
                continue;
            }
            let (part, due) = self.with(|hub| (hub.part_to_list(), hub.unannounced.due()));
            match part {
                Some(part) => self.list(part, lists).await?,
                None => self.wait(&ready, due.map(Instant::from_std)).await?,
            }
        }
        Ok(())
    }

    /// Whether there are watchers. If not, this ends, so that none can be added.
    fn goes_on(&self) -> bool {
        let mut state = self.lock();
        if !state.hub.has_watchers() {
            state.socket = None;
        }
        state.socket.is_some()
    }

    async fn list(&self, part: WatchedPart, lists: Lists<'_>) -> Result<()> {
        let began = Instant::now();
        match part.list(lists).await {
            Ok(list) => {
                self.with(|hub| {
                    hub.listed(part, list);
                    hub.unannounced.listed(part, began.elapsed());
                });
                if part == WatchedPart::Firewall {
                    // Each change of the packet filter needs a list of all of it: large tables that change all the time must not
                    // take the thread from other networks.
                    sleep(began.elapsed().min(LONGEST_REST)).await;
                }
            }
            // The objects change so fast that there is no consistent list. The notifications continue meanwhile.
            Err(error) if error.errno() == Some(Errno::EAGAIN) => {
                self.with(|hub| hub.must_list(part));
                sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Waits for notifications, for watchers, or until a part has to be listed.
    async fn wait(&self, ready: &AsyncFd<Arc<Socket>>, due: Option<Instant>) -> Result<()> {
        let attention = pin!(self.attention.notified());
        let timer = pin!(async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        });
        let others = pin!(select(attention, timer));
        match select(pin!(ready.readable()), others).await {
            Either::Left((Ok(mut guard), _)) => {
                if self.drain(ready.get_ref())? {
                    guard.clear_ready();
                }
                Ok(())
            }
            Either::Left((Err(error), _)) => Err(NetlinkError::from(error).of("epoll_wait", "")),
            Either::Right(_) => Ok(()),
        }
    }

    /// Receives notifications. Returns whether these were all that had arrived.
    fn drain(&self, socket: &Socket) -> Result<bool> {
        let mut buffer = Buffer::take(DATAGRAM);
        let bytes = buffer.bytes();
        for _ in 0..TURN {
            match socket::receive(socket, bytes) {
                Ok(received) if received.is_kernels => {
                    let datagram = bytes.get(..received.length);
                    self.with(|hub| {
                        if datagram.is_none_or(|datagram| hear_all(hub, datagram).is_err()) {
                            hub.lost();
                        }
                    });
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(Errno::ENOBUFS | Errno::ENOMEM) => self.with(Hub::lost),
                Err(Errno::EAGAIN) => {
                    self.with(Hub::drained);
                    return Ok(true);
                }
                Err(errno) => return Err(NetlinkError::from(errno).of("recvfrom", "")),
            }
        }
        self.with(Hub::wake);
        Ok(false)
    }

    /// Calls a function with the lock held, and then wakes the watchers that have something to read.
    fn with<T>(&self, call: impl FnOnce(&mut Hub) -> T) -> T {
        let mut state = self.lock();
        let result = call(&mut state.hub);
        let wakes = state.hub.take_wakes();
        drop(state);
        for wake in wakes {
            wake();
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the events of one watcher, from any thread. Dropping it ends the watcher.
pub struct Watcher {
    watch: Arc<Watch>,
    number: u64,
}

impl Watcher {
    /// Returns the events since the last call as the text of a JSON array; `Ok(None)` if there are none; an error once no more will
    /// come, which is `None` if the network was closed.
    pub fn read(&self) -> std::result::Result<Option<String>, Option<Arc<Error>>> {
        match self.watch.with(|hub| hub.take(self.number)) {
            Batch::Events(text) => Ok(Some(text)),
            Batch::Empty => Ok(None),
            Batch::End(outcome) => Err(outcome.err()),
        }
    }

    /// Calls a function once, on any thread, when there is something to read.
    pub fn when_ready(&self, wake: impl FnOnce() + Send + 'static) {
        self.watch.with(|hub| hub.when_ready(self.number, Box::new(wake)));
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.watch.remove(self.number);
    }
}

fn join(socket: &Socket, group: Group) -> Result<()> {
    let outcome = socket.add_membership(group.number());
    outcome.map_err(|error| NetlinkError::from(error).of("setsockopt(NETLINK_ADD_MEMBERSHIP)", ""))
}

fn hear_all(hub: &mut Hub, mut bytes: &[u8]) -> std::result::Result<(), Malformed> {
    while !bytes.is_empty() {
        let (message, rest) = Message::split(bytes)?;
        hub.hear(&message)?;
        bytes = rest;
    }
    Ok(())
}
