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

/// Memory is used in pages: a connection with one byte uses one.
const PAGE: usize = 4096;

/// How many rooms are kept for the next connections.
const MOST_KEPT: usize = 4;

/// What the connections of an uplink use of its memory.
#[derive(Default)]
pub struct Budget {
    used: Cell<usize>,
    kept: RefCell<Vec<Room>>,
    pressed: Notify,
    is_exhausted: Cell<bool>,
}

impl Budget {
    /// Whether a connection should free what it does not use at once: also busy ones use much.
    pub fn is_tight(&self) -> bool {
        self.used.get() > LIMIT / 4 * 3
    }

    /// Waits until connections that are silent should free what they have.
    pub async fn is_pressed(&self) {
        self.pressed.notified().await;
    }

    /// Returns whether a connection has got nothing of the reserve since the last call.
    pub fn was_exhausted(&self) -> bool {
        self.is_exhausted.replace(false)
    }

    /// How much of what a connection needs it may have, or else of the reserve.
    fn grant(&self, more: usize, least: usize) -> usize {
        let used = self.used.get();
        let granted = if used + more <= LIMIT { more } else { more.min(least) };
        if used + granted <= LIMIT + RESERVE {
            return granted;
        }
        self.is_exhausted.set(true);
        self.pressed.notify_one();
        0
    }

    fn take(&self, more: usize) {
        let used = self.used.get() + more;
        self.used.set(used);
        if used > LIMIT / 2 {
            self.pressed.notify_one();
        }
    }

    pub fn room(self: &Rc<Self>) -> io::Result<Lent> {
        let kept = self.kept.borrow_mut().pop();
        let room = kept.map_or_else(Room::new, Ok)?;
        Ok(Lent { room: Some(room), budget: Rc::clone(self), charged: Default::default(), written: Default::default() })
    }
}

/// The two halves of a room.
#[derive(Clone, Copy)]
pub enum Half {
    FromInside,
    ToInside,
}

/// The bytes of the pages that so many bytes of a half use.
fn pages(bytes: usize) -> usize {
    bytes.next_multiple_of(PAGE).min(CAPACITY)
}

fn set(cells: &[Cell<usize>; 2], half: Half, value: usize) {
    if let Some(cell) = cells.get(half as usize) {
        cell.set(value);
    }
}

/// A room for one connection.
pub struct Lent {
    room: Option<Room>,
    budget: Rc<Budget>,
    /// How many bytes of each half are charged: the pages that have been written to.
    charged: [Cell<usize>; 2],
    /// How many bytes have been written to each half since it had no pages.
    written: [Cell<usize>; 2],
}

impl Lent {
    /// Returns how many more bytes may be written to a half, of which `wanted` are needed.
    pub fn allowance(&self, half: Half, wanted: usize) -> usize {
        let (had, written) = (self.charged(half), self.written(half));
        let more = pages(written + wanted) - had;
        let granted = if more == 0 { 0 } else { self.budget.grant(more, LEAST.saturating_sub(had)) };
        // The ring goes round, so what it has is used again.
        if granted == more { wanted } else { (had + granted).saturating_sub(written).min(wanted) }
    }

    /// Notes that bytes have been written to a half.
    pub fn wrote(&self, half: Half, length: usize) {
        let written = (self.written(half) + length).min(CAPACITY);
        let more = pages(written) - self.charged(half);
        if more > 0 {
            self.budget.take(more);
        }
        set(&self.written, half, written);
        set(&self.charged, half, pages(written));
    }

    fn charged(&self, half: Half) -> usize {
        self.charged.get(half as usize).map_or(0, Cell::get)
    }

    fn written(&self, half: Half) -> usize {
        self.written.get(half as usize).map_or(0, Cell::get)
    }

    /// How many bytes of both halves are charged.
    pub fn used(&self) -> usize {
        self.charged.iter().map(Cell::get).sum()
    }

    /// Frees the memory of both halves, which must be empty.
    pub fn release(&self) {
        if let Some(room) = self.room.as_ref().filter(|_| self.used() > 0) {
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
        for (charged, written) in self.charged.iter().zip(&self.written) {
            self.budget.used.set(self.budget.used.get().saturating_sub(charged.replace(0)));
            written.set(0);
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

    impl Lent {
        fn write(&self, half: Half, wanted: usize) -> usize {
            let length = self.allowance(half, wanted);
            self.wrote(half, length);
            length
        }
    }

    #[test]
    fn all_connections_together_have_a_bound() {
        let budget = Rc::new(Budget::default());
        let rooms: Vec<_> = (0..10_000).map(|_| budget.room().unwrap()).collect();
        let granted: Vec<_> = rooms.iter().map(|room| room.write(Half::FromInside, 64 * 1024)).collect();
        assert_eq!(granted.iter().sum::<usize>(), LIMIT + RESERVE);
        assert_eq!(granted.iter().filter(|granted| **granted == LEAST).count(), RESERVE / LEAST);
        assert_eq!(granted.last(), Some(&0));
        assert!(budget.was_exhausted() && !budget.was_exhausted());
        // What one frees is another one's.
        rooms[0].release();
        assert_eq!(rooms[9999].write(Half::ToInside, 100), 100);
        drop(rooms);
        assert_eq!(budget.used.get(), 0);
    }

    #[test]
    fn a_connection_uses_the_pages_that_it_has_written_to() {
        let budget = Rc::new(Budget::default());
        let room = budget.room().unwrap();
        // What may be written is not used yet.
        assert_eq!(room.allowance(Half::ToInside, 64 * 1024), 64 * 1024);
        assert_eq!(room.used(), 0);
        for (length, used) in [(1, PAGE), (PAGE - 1, PAGE), (1, 2 * PAGE), (CAPACITY, CAPACITY), (CAPACITY, CAPACITY)] {
            assert_eq!(room.write(Half::ToInside, length), length);
            assert_eq!(room.used(), used);
        }
        assert_eq!(room.write(Half::FromInside, 1), 1);
        assert_eq!(budget.used.get(), CAPACITY + PAGE);
        room.release();
        assert_eq!((room.used(), budget.used.get()), (0, 0));
    }

    #[test]
    fn connections_that_are_silent_leave_memory_to_others() {
        let budget = Rc::new(Budget::default());
        let rooms: Vec<_> = (0..1000).map(|_| budget.room().unwrap()).collect();
        for room in &rooms {
            assert_eq!(room.write(Half::FromInside, 1) + room.write(Half::ToInside, 1), 2);
        }
        assert!(!budget.is_tight());
        assert_eq!(rooms[0].write(Half::FromInside, CAPACITY), CAPACITY);
    }
}
