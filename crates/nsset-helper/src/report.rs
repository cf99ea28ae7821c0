//! What the helper says to its parent, and the word it waits for.

use crate::{
    protocol::{About, MAX_FDS_PER_MESSAGE, Message, MessageKind},
    syscall::{self, EIO, Errno},
};

/// The control socket, and the step that speaks over it.
#[derive(Clone, Copy)]
pub struct Report {
    pub control: i32,
    pub step: u32,
    pub about: About,
}

#[repr(C)]
struct Iovec {
    base: *const u8,
    length: usize,
}

#[repr(C)]
struct MessageHeader {
    name: usize,
    name_length: usize,
    parts: *const Iovec,
    part_count: usize,
    control: *const RightsMessage,
    control_length: usize,
    flags: usize,
}

/// A control message of type `SCM_RIGHTS` (unix(7)); `length` says how many of the descriptors count.
#[repr(C)]
struct RightsMessage {
    length: usize,
    level: i32,
    kind: i32,
    fds: [i32; MAX_FDS_PER_MESSAGE],
}

impl Report {
    /// Says something, with up to eight descriptors beside it.
    pub fn send(self, kind: MessageKind, value: i32, fds: &[i32]) -> Result<(), Errno> {
        self.send_message(kind, value, fds, &[])
    }

    /// Says what a file holds, or the rest of it.
    pub fn send_content(self, content: &[u8]) -> Result<(), Errno> {
        self.send_message(MessageKind::Content, 0, &[], content)
    }

    /// Says a part of what a file holds; more is to come.
    pub fn send_content_part(self, content: &[u8]) -> Result<(), Errno> {
        self.send_message(MessageKind::ContentPart, 0, &[], content)
    }

    fn send_message(self, kind: MessageKind, value: i32, fds: &[i32], content: &[u8]) -> Result<(), Errno> {
        const SOL_SOCKET: i32 = 1;
        const SCM_RIGHTS: i32 = 1;
        let message = Message { kind: kind as u32, step: self.step, value, about: self.about as u32 };
        let parts = [
            Iovec { base: (&raw const message).cast(), length: Message::SIZE },
            Iovec { base: content.as_ptr(), length: content.len() },
        ];
        let count = fds.len().min(MAX_FDS_PER_MESSAGE);
        let mut rights = RightsMessage {
            length: 16 + 4 * count,
            level: SOL_SOCKET,
            kind: SCM_RIGHTS,
            fds: [0; MAX_FDS_PER_MESSAGE],
        };
        for (place, fd) in rights.fds.iter_mut().zip(fds) {
            *place = *fd;
        }
        let header = MessageHeader {
            name: 0,
            name_length: 0,
            parts: parts.as_ptr(),
            part_count: parts.len(),
            control: if count == 0 { core::ptr::null() } else { &raw const rights },
            control_length: if count == 0 { 0 } else { (rights.length + 7) & !7 },
            flags: 0,
        };
        // SAFETY: the header is laid out as the kernel's on 64-bit machines, and all it points to is in this frame
        // or the caller's.
        unsafe { syscall::sendmsg(self.control, &header) }.map(drop)
    }

    /// Says that this process was born, and waits until the parent knows it.
    pub fn announce(self, kind: MessageKind) -> Result<(), Errno> {
        self.send(kind, 0, &[])?;
        self.wait_for_reply()
    }

    /// Waits until the parent says to go on; an error when the parent is gone, or has ended the conversation.
    pub fn wait_for_reply(self) -> Result<(), Errno> {
        match syscall::read(self.control, &mut [0])? {
            0 => Err(EIO),
            _ => Ok(()),
        }
    }

    /// Says why the step failed, and leaves.
    pub fn fail(self, errno: Errno) -> ! {
        let _ = self.send(MessageKind::Failed, errno, &[]);
        leave(1)
    }
}

/// Ends the helper. Its descriptors go first: while it ends, its memory is gone before they are, and being undumpable with
/// it, so that for a moment the kernel would let others take them (`pidfd_getfd(2)`).
pub fn leave(code: i32) -> ! {
    let _ = syscall::close_range(0, u32::MAX);
    syscall::exit(code)
}
