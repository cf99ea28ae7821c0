//! Waits for a program that is sent over the control socket.
//!
//! Only a helper that stays in a network does this. What it receives makes sockets and executes no program.

use core::{cell::UnsafeCell, ffi::CStr, ptr};

use crate::{
    arguments::Arguments,
    protocol::{FIRST_PASSED_FD, MAX_PROGRAM, MAX_PROGRAM_FDS, MAX_STRINGS},
    report,
    state::State,
    syscall::{self, E2BIG, EINVAL, EMFILE, Errno, MessageHeader, Part},
};

/// Receives a program, and continues with it.
pub fn receive(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let idle = u32::try_from(arguments.number()?).map_err(|_| EINVAL)?;
    // They may have values that are secret, and this process may wait for long.
    arguments.wipe();
    syscall::set_name(c"nsset-idle")?;
    let control = state.report.control;
    state.report.step = 0;
    syscall::close_range(FIRST_PASSED_FD as u32, u32::MAX)?;
    // The kernel gives each descriptor of a message the lowest free number.
    for number in 0..control {
        syscall::occupy(control, number)?;
    }
    if !syscall::wait_for_message(control, idle)? {
        // The parent may send a program at this very moment. It gets an error, or the program is received.
        syscall::refuse_messages(control)?;
    }
    let length = receive_packet(control)?;
    if length == 0 {
        report::leave(0);
    }
    *state = State::new(ptr::null());
    syscall::set_name(c"nsset-helper")?;
    syscall::close_range(0, control as u32 - 1)?;
    // SAFETY: this process has one thread, and the words of the program before are not read any more.
    (*arguments, state.environment) = unsafe { STORE.parse(length)? };
    Ok(())
}

/// The program: its bytes, and the vector of its strings. The kernel gives memory only to the pages in use.
struct Store {
    packet: UnsafeCell<[u8; MAX_PROGRAM]>,
    vector: UnsafeCell<[*const u8; MAX_STRINGS + 1]>,
}

// SAFETY: this process has one thread.
unsafe impl Sync for Store {}

static STORE: Store =
    Store { packet: UnsafeCell::new([0; MAX_PROGRAM]), vector: UnsafeCell::new([ptr::null(); MAX_STRINGS + 1]) };

impl Store {
    /// Writes the vector over that of the program before. Returns its words, and an environment without variables.
    ///
    /// # Safety
    /// No one else uses the store, and the kernel has written `length` bytes to it, at least one.
    unsafe fn parse(&self, length: usize) -> Result<(Arguments, *const *const u8), Errno> {
        let packet = self.packet.get().cast::<u8>();
        let vector = self.vector.get().cast::<*const u8>();
        // SAFETY: the last byte is a NUL, so each string that begins in the packet ends in it. The vector has room for as many
        // strings as `count` allows, and for its end.
        unsafe {
            if *packet.add(length - 1) != 0 {
                return Err(EINVAL);
            }
            let (mut next, mut count) = (0, 0);
            while next < length {
                if count == MAX_STRINGS {
                    return Err(EINVAL);
                }
                vector.add(count).write(packet.add(next));
                count += 1;
                next += CStr::from_ptr(packet.add(next).cast()).count_bytes() + 1;
            }
            vector.add(count).write(ptr::null());
            Ok((Arguments::new(vector), vector.add(count)))
        }
    }
}

/// Receives one packet, and returns its length: 0 at the end. Its descriptors get the numbers from [`FIRST_PASSED_FD`] on.
fn receive_packet(socket: i32) -> Result<usize, Errno> {
    const MSG_CTRUNC: i32 = 0x8;
    const MSG_TRUNC: i32 = 0x20;
    // A `cmsghdr`, and the descriptors.
    let mut rights = [0u64; 2 + MAX_PROGRAM_FDS.div_ceil(2)];
    let parts = [Part { base: STORE.packet.get().cast(), length: MAX_PROGRAM }];
    let mut header = MessageHeader::new(&parts).with_control(rights.as_mut_ptr().cast(), size_of_val(&rights));
    // SAFETY: all it points to is in this frame or the store, which nothing else uses.
    let length = unsafe { syscall::recvmsg(socket, &mut header) }?;
    match header.flags() {
        flags if flags & MSG_TRUNC != 0 => Err(E2BIG),
        flags if flags & MSG_CTRUNC != 0 => Err(EMFILE),
        _ => Ok(length),
    }
}
