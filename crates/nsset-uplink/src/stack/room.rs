//! The memory of connections.

use std::{
    cell::{Cell, RefCell},
    io,
    ptr::{self, NonNull},
    rc::Rc,
    slice,
};

use tokio::sync::Notify;

/// The bytes that a connection may buffer in each direction.
pub const CAPACITY: usize = 512 * 1024;

/// What a connection may use in each direction of the reserve.
const LEAST: usize = 4096;

/// How many bytes all connections of an uplink may use together, and the reserve after that.
const LIMIT: usize = 20 << 20;
const RESERVE: usize = 8 << 20;

/// How many rooms are kept for the next connections.
const MOST_KEPT: usize = 4;

/// What the connections of an uplink use of its memory.
#[derive(Default)]
pub struct Budget {
    used: Cell<usize>,
    kept: RefCell<Vec<Room>>,
    exhausted: Notify,
}

impl Budget {
    /// Whether connections should free what they do not use.
    pub fn is_tight(&self) -> bool {
        self.used.get() > LIMIT / 2
    }

    /// Waits until a connection gets nothing of the reserve.
    pub async fn is_exhausted(&self) {
        self.exhausted.notified().await;
    }

    /// Takes what a connection needs, or else what it may have of the reserve.
    fn take(&self, more: usize, least: usize) -> usize {
        let used = self.used.get();
        let granted = if used + more <= LIMIT { more } else { more.min(least) };
        if used + granted > LIMIT + RESERVE {
            self.exhausted.notify_one();
            return 0;
        }
        self.used.set(used + granted);
        granted
    }

    pub fn room(self: &Rc<Self>) -> io::Result<Lent> {
        let kept = self.kept.borrow_mut().pop();
        let room = kept.map_or_else(Room::new, Ok)?;
        Ok(Lent { room: Some(room), budget: Rc::clone(self), charged: [Cell::new(0), Cell::new(0)] })
    }
}

/// The two halves of a room.
#[derive(Clone, Copy)]
pub enum Half {
    FromInside,
    ToInside,
}

/// A room for one connection.
pub struct Lent {
    room: Option<Room>,
    budget: Rc<Budget>,
    /// How many bytes of each half are charged: those that have been written to.
    charged: [Cell<usize>; 2],
}

impl Lent {
    /// Returns how many more bytes may be written to a half, of which `wanted` are needed, and charges them.
    pub fn charge(&self, half: Half, wanted: usize) -> usize {
        let Some(charged) = self.charged.get(half as usize) else { return 0 };
        let had = charged.get();
        // The ring goes round, so what it has is used again.
        let more = wanted.min(CAPACITY - had);
        let granted = self.budget.take(more, LEAST.saturating_sub(had));
        charged.set(had + granted);
        if had == CAPACITY || granted == more { wanted } else { granted }
    }

    /// How many bytes are charged.
    pub fn charged(&self) -> usize {
        self.charged.iter().map(Cell::get).sum()
    }

    /// Frees the memory of both halves, which must be empty.
    pub fn release(&self) {
        if let Some(room) = self.room.as_ref().filter(|_| self.charged() > 0) {
            room.forget();
            self.refund();
        }
    }

    /// The two halves.
    ///
    /// # Safety
    /// The caller drops both before this, and calls this once.
    pub unsafe fn halves(&self) -> (&'static mut [u8], &'static mut [u8]) {
        let Some(room) = &self.room else { return (&mut [], &mut []) };
        // SAFETY: the room is two times as long, its halves do not overlap, and it is not unmapped before this is dropped.
        unsafe {
            let start = room.0.as_ptr();
            (slice::from_raw_parts_mut(start, CAPACITY), slice::from_raw_parts_mut(start.add(CAPACITY), CAPACITY))
        }
    }

    fn refund(&self) {
        for charged in &self.charged {
            self.budget.used.set(self.budget.used.get().saturating_sub(charged.replace(0)));
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.refund();
        let mut kept = self.budget.kept.borrow_mut();
        if kept.len() < MOST_KEPT {
            kept.extend(self.room.take());
        }
    }
}

/// Memory of the kernel, of which only the pages exist that have been written to.
struct Room(NonNull<u8>);

impl Room {
    fn new() -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping, at a place that the kernel chooses.
        let start = unsafe { libc::mmap(ptr::null_mut(), 2 * CAPACITY, access, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(start.cast()).map(Self).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
    }

    fn forget(&self) {
        // SAFETY: the mapping is this room's. Its bytes become zeros.
        unsafe { libc::madvise(self.0.as_ptr().cast(), 2 * CAPACITY, libc::MADV_DONTNEED) };
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: the mapping is this room's, and nothing refers to it any more (`halves`).
        unsafe { libc::munmap(self.0.as_ptr().cast(), 2 * CAPACITY) };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn all_connections_together_have_a_bound() {
        let budget = Rc::new(Budget::default());
        let rooms: Vec<_> = (0..10_000).map(|_| budget.room().unwrap()).collect();
        let granted: Vec<_> = rooms.iter().map(|room| room.charge(Half::FromInside, 64 * 1024)).collect();
        assert_eq!(granted.iter().sum::<usize>(), LIMIT + RESERVE);
        assert_eq!(granted.iter().filter(|granted| **granted == LEAST).count(), RESERVE / LEAST);
        assert_eq!(granted.last(), Some(&0));
        // What one frees is another one's.
        rooms[0].release();
        assert_eq!(rooms[9999].charge(Half::ToInside, 100), 100);
        drop(rooms);
        assert_eq!(budget.used.get(), 0);
    }
}
