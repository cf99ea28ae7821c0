//! The memory of connections.

use std::{
    cell::{Cell, RefCell},
    io,
    ptr::{self, NonNull},
    rc::Rc,
    slice,
};

/// The bytes that a connection may buffer in each direction.
pub const CAPACITY: usize = 256 * 1024;

/// What every connection may use in each direction, also if the budget is used up.
const LEAST: usize = 4096;

/// How many bytes all connections of an uplink may use together.
const LIMIT: usize = 32 << 20;

/// How many rooms are kept for the next connections.
const MOST_KEPT: usize = 8;

/// What the connections of an uplink use of its memory.
#[derive(Default)]
pub struct Budget {
    used: Cell<usize>,
    kept: RefCell<Vec<Room>>,
}

impl Budget {
    /// Whether connections should free what they do not use.
    pub fn is_tight(&self) -> bool {
        self.used.get() > LIMIT / 2
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
        let (had, used) = (charged.get(), &self.budget.used);
        // The ring goes round, so what it has is used again.
        let more = wanted.min(CAPACITY - had);
        let granted = if used.get() + more <= LIMIT { more } else { more.min(LEAST.saturating_sub(had)) };
        charged.set(had + granted);
        used.set(used.get() + granted);
        if had == CAPACITY || granted == more { wanted } else { granted }
    }

    /// Frees the memory of both halves, which must be empty.
    pub fn release(&self) {
        if let Some(room) = &self.room {
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
