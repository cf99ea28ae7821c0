//! The memory that the kernel writes packets to.

use std::{
    io,
    num::NonZeroUsize,
    ptr::NonNull,
    slice,
    sync::atomic::{AtomicU32, Ordering},
};

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use crate::{packets::Packets, socket::PacketSocket};

/// A packet is at most as long as a block, without its header.
pub const BLOCK_SIZE: usize = 512 * 1024;

/// How long the kernel waits before it hands over a block that is not full, in milliseconds.
pub const RETIRE_AFTER: u32 = 20;

/// linux/if_packet.h
const TP_STATUS_KERNEL: u32 = 0;
const TP_STATUS_USER: u32 = 1;

/// Where the status of a block is in `struct tpacket_block_desc`.
const STATUS: usize = 8;

/// The ring of a socket, mapped. Only this reads and releases its blocks.
pub struct Ring {
    start: NonNull<u8>,
    blocks: usize,
    /// The block that is read next.
    current: usize,
}

// SAFETY: the memory belongs to this alone, and is not bound to a thread.
unsafe impl Send for Ring {}

impl Ring {
    /// Creates a ring of this many blocks.
    ///
    /// # Errors
    /// `ENOMEM` without memory for it.
    pub fn new(socket: &PacketSocket, blocks: usize) -> io::Result<Self> {
        socket.make_ring(BLOCK_SIZE as u32, blocks as u32, RETIRE_AFTER)?;
        let length = NonZeroUsize::new(blocks * BLOCK_SIZE).ok_or(io::ErrorKind::InvalidInput)?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping, at a place that the kernel chooses.
        let start = unsafe { mmap(None, length, access, MapFlags::MAP_SHARED, socket, 0) }?;
        Ok(Self { start: start.cast(), blocks, current: 0 })
    }

    /// Whether the kernel has handed over the next block.
    pub fn is_ready(&self) -> bool {
        self.status().load(Ordering::Acquire) & TP_STATUS_USER != 0
    }

    /// Reads the next block if the kernel has handed it over, and gives it back. Returns whether there was one.
    pub fn read_block(&mut self, read: impl FnOnce(Packets<'_>)) -> bool {
        if !self.is_ready() {
            return false;
        }
        // SAFETY: the block is in the mapping. The kernel does not write to it before the status changes below, and `read` has
        // then ended.
        let block = unsafe { slice::from_raw_parts(self.block().as_ptr(), BLOCK_SIZE) };
        read(Packets::of_block(block));
        self.status().store(TP_STATUS_KERNEL, Ordering::Release);
        self.current = (self.current + 1) % self.blocks;
        true
    }

    fn block(&self) -> NonNull<u8> {
        // SAFETY: `current` is less than `blocks`, so this is in the mapping.
        unsafe { self.start.add(self.current * BLOCK_SIZE) }
    }

    fn status(&self) -> &AtomicU32 {
        // SAFETY: the status of a block is aligned, in the mapping, which lives as long as this, and shared with the kernel, which
        // uses atomic operations.
        unsafe { AtomicU32::from_ptr(self.block().add(STATUS).cast().as_ptr()) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping is from `new`, and nothing refers to it any more.
        let _ = unsafe { munmap(self.start.cast(), self.blocks * BLOCK_SIZE) };
    }
}
