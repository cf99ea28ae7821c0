//! Sends messages to the parent, and waits for its replies.

use crate::{
    protocol::{About, MAX_FDS_PER_MESSAGE, MAX_WORDS, Message, MessageKind},
    syscall::{self, EIO, Errno, MessageHeader, Part},
};

/// The control socket, and the step that uses it.
#[derive(Clone, Copy)]
pub struct Report {
    pub control: i32,
    pub step: u32,
    pub about: About,
    /// The file system that the step makes, whose descriptor has the kernel's words about a failure (fsopen(2)).
    pub file_system: Option<i32>,
}

/// A control message of type `SCM_RIGHTS` (unix(7)); `length` limits how many of the descriptors are sent.
#[repr(C)]
struct RightsMessage {
    length: usize,
    level: i32,
    kind: i32,
    fds: [i32; MAX_FDS_PER_MESSAGE],
}

impl Report {
    /// Sends a message, with up to eight descriptors.
    pub fn send(self, kind: MessageKind, value: i32, fds: &[i32]) -> Result<(), Errno> {
        self.send_message(kind, value, fds, &[])
    }

    /// Sends the content of a file, or the rest of it.
    pub fn send_content(self, content: &[u8]) -> Result<(), Errno> {
        self.send_message(MessageKind::Content, 0, &[], content)
    }

    /// Sends a part of the content of a file; further parts follow.
    pub fn send_content_part(self, content: &[u8]) -> Result<(), Errno> {
        self.send_message(MessageKind::ContentPart, 0, &[], content)
    }

    fn send_message(self, kind: MessageKind, value: i32, fds: &[i32], content: &[u8]) -> Result<(), Errno> {
        const SOL_SOCKET: i32 = 1;
        const SCM_RIGHTS: i32 = 1;
        let message = Message { kind: kind as u32, step: self.step, value, about: self.about as u32 };
        let parts = [
            Part { base: (&raw const message).cast_mut().cast(), length: Message::SIZE },
            Part { base: content.as_ptr().cast_mut(), length: content.len() },
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
        let header = match count {
            0 => MessageHeader::new(&parts),
            _ => MessageHeader::new(&parts).with_control((&raw mut rights).cast(), (rights.length + 7) & !7),
        };
        // SAFETY: all it points to is in this frame or the caller's.
        unsafe { syscall::sendmsg(self.control, &header) }.map(drop)
    }

    /// Announces this process, and waits until the parent has taken note of it.
    pub fn announce(self, kind: MessageKind) -> Result<(), Errno> {
        self.send(kind, 0, &[])?;
        self.wait_for_reply()
    }

    /// Waits until the parent replies. It is an error if the parent has ended or has shut down the socket.
    pub fn wait_for_reply(self) -> Result<(), Errno> {
        match syscall::read(self.control, &mut [0])? {
            0 => Err(EIO),
            _ => Ok(()),
        }
    }

    /// Reports why the step failed, and ends the process.
    pub fn fail(self, errno: Errno) -> ! {
        let mut words = [0; MAX_WORDS];
        let length = self.file_system.map_or(0, |fs| read_error(fs, &mut words));
        let _ = self.send_message(MessageKind::Failed, errno, &[], words.get(..length).unwrap_or_default());
        leave(1)
    }
}

/// Reads the first error in the log of a file system that is being made. Warnings and notes may be before it.
fn read_error(fs: i32, words: &mut [u8; MAX_WORDS]) -> usize {
    while let Ok(length) = syscall::read(fs, words) {
        if words.starts_with(b"e ") || length == 0 {
            return length;
        }
    }
    0
}

/// Ends the helper. It closes its descriptors first: in an exit the kernel frees the memory before the descriptors, and
/// the undumpable flag is part of the memory, so that for a moment other processes could take them (`pidfd_getfd(2)`).
pub fn leave(code: i32) -> ! {
    let _ = syscall::close_range(0, u32::MAX);
    syscall::exit(code)
}
