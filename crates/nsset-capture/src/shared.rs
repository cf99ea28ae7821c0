//! What the engine and the reader of a capture share.

use std::{
    io, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::sync::Notify;

use crate::{
    pcapng::{Section, Totals},
    socket::PacketSocket,
};

/// How many bytes wait for the reader, besides those in the ring. One block more can be added to less.
const MOST_WAITING: usize = 1024 * 1024;

/// What a reader gets.
#[derive(Debug)]
pub enum Reading {
    Bytes(Vec<u8>),
    Nothing,
    End,
    Failed(io::Error),
}

/// How the reader ends a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What was captured before is still read.
    #[default]
    Stop,
    /// Nothing is read any more.
    Abandon,
}

/// What the engine and the reader share.
pub struct Shared {
    state: Mutex<State>,
    /// Notified when the reader has taken what waited.
    taken: Notify,
}

type Wake = Box<dyn FnOnce() + Send>;

struct State {
    /// Bytes that wait for the reader.
    waiting: Vec<u8>,
    /// `None` before the end.
    outcome: Option<io::Result<()>>,
    wake: Option<Wake>,
    /// `None` after the end.
    socket: Option<Arc<PacketSocket>>,
    totals: Totals,
    began: u64,
}

impl State {
    fn is_ready(&self) -> bool {
        !self.waiting.is_empty() || self.outcome.is_some()
    }

    fn count(&mut self) -> Totals {
        if let Some(Ok(counts)) = self.socket.as_ref().map(|socket| socket.take_counts()) {
            self.totals.received += u64::from(counts.received);
            self.totals.dropped += u64::from(counts.dropped);
        }
        self.totals
    }
}

impl Shared {
    /// Begins with bytes that wait for the reader.
    pub fn new(waiting: Vec<u8>, socket: Arc<PacketSocket>) -> Self {
        let (socket, totals, began) = (Some(socket), Totals::default(), now());
        let state = State { waiting, outcome: None, wake: None, socket, totals, began };
        Self { state: Mutex::new(state), taken: Notify::new() }
    }

    /// Reads what there is.
    pub fn read(&self) -> Reading {
        let mut state = self.lock();
        if !state.waiting.is_empty() {
            let bytes = mem::take(&mut state.waiting);
            drop(state);
            self.taken.notify_one();
            return Reading::Bytes(bytes);
        }
        match state.outcome.replace(Ok(())) {
            Some(Ok(())) => Reading::End,
            Some(Err(error)) => Reading::Failed(error),
            None => {
                state.outcome = None;
                Reading::Nothing
            }
        }
    }

    /// Calls a function once when there is something to read.
    pub fn when_ready(&self, wake: impl FnOnce() + Send + 'static) {
        self.with(|state| state.wake = Some(Box::new(wake)));
    }

    /// Returns what was counted so far, also after the end.
    pub fn count(&self) -> Totals {
        self.lock().count()
    }

    /// Waits until the reader has room.
    pub async fn room(&self) {
        while self.lock().waiting.len() >= MOST_WAITING {
            self.taken.notified().await;
        }
    }

    /// Adds to what waits for the reader.
    pub fn add(&self, mut bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        self.with(|state| {
            if state.waiting.is_empty() {
                state.waiting = bytes;
            } else {
                state.waiting.append(&mut bytes);
            }
        });
    }

    /// Counts for the last time, and gives the socket up.
    pub fn release(&self) {
        let mut state = self.lock();
        state.count();
        state.socket = None;
    }

    /// Ends the capture. If nothing failed, the statistics are the last that is written.
    pub fn end(&self, outcome: io::Result<Order>) {
        self.with(|state| {
            match outcome {
                Ok(Order::Abandon) => state.waiting = Vec::new(),
                Ok(Order::Stop) => Section::end(&mut state.waiting, state.began, now(), state.totals),
                Err(_) => {}
            }
            state.outcome = Some(outcome.map(drop));
        });
    }

    /// Calls a function with the lock held, and then wakes the reader if there is something to read.
    fn with(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let wake = if state.is_ready() { state.wake.take() } else { None };
        drop(state);
        if let Some(wake) = wake {
            wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the time in nanoseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(0)
}
