//! Pipes through which splice(2) moves bytes from one socket to another.

use std::{
    cell::RefCell,
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice},
    sys::socket::{MsgFlags, recv},
    unistd::{pipe2, write},
};
use tokio::time::sleep;

use crate::exhaustion;

/// The capacity of a pipe. An ordinary user may not have more than 1 MiB in one pipe (pipe(7)).
const CAPACITY: usize = 256 * 1024;

/// How many bytes are moved by recv(2). An empty pipe has room for one page, and takes as many bytes at once (pipe(7)).
const PAGE: usize = 4096;

/// How many empty pipes are kept for the next bytes.
const MOST_KEPT: usize = 16;

/// The empty pipes of a thread. A connection uses a pipe only while it has bytes to move, so that idle connections have none.
#[derive(Debug, Default)]
pub struct Pipes(RefCell<Vec<Pipe>>);

#[derive(Debug)]
struct Pipe {
    input: OwnedFd,
    output: OwnedFd,
}

impl Pipes {
    /// Returns an empty pipe. Waits if there is no descriptor for one: the bytes can wait, too.
    pub async fn take(&self) -> nix::Result<EmptyPipe<'_>> {
        loop {
            let kept = self.0.borrow_mut().pop();
            match kept.map_or_else(Pipe::new, Ok) {
                Ok(pipe) => return Ok(EmptyPipe { pipe, pipes: self }),
                Err(errno) if exhaustion::is_exhaustion(errno) => sleep(exhaustion::PAUSE).await,
                Err(errno) => return Err(errno),
            }
        }
    }

    fn put(&self, pipe: Pipe) {
        let mut kept = self.0.borrow_mut();
        if kept.len() < MOST_KEPT {
            kept.push(pipe);
        }
    }
}

impl Pipe {
    fn new() -> nix::Result<Self> {
        let (output, input) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        // A user who has many pipes gets smaller ones, which work as well.
        let _ = fcntl(&input, FcntlArg::F_SETPIPE_SZ(CAPACITY as i32));
        Ok(Self { input, output })
    }
}

/// A pipe without bytes.
pub struct EmptyPipe<'a> {
    pipe: Pipe,
    pipes: &'a Pipes,
}

impl<'a> EmptyPipe<'a> {
    /// Moves bytes from a socket into the pipe. Returns `None` at the end of the stream. The pipe goes back to the others if it
    /// remains empty.
    pub fn fill(self, from: impl AsFd) -> nix::Result<Option<FilledPipe<'a>>> {
        let moved = match move_bytes(&from, &self.pipe.input, CAPACITY) {
            Ok(0) | Err(Errno::EAGAIN) => self.fill_after_urgent_byte(from),
            moved => moved,
        };
        match moved {
            Ok(0) => {
                self.pipes.put(self.pipe);
                Ok(None)
            }
            Ok(length) => Ok(Some(FilledPipe { pipe: self.pipe, pipes: self.pipes, length })),
            Err(errno) => {
                self.pipes.put(self.pipe);
                Err(errno)
            }
        }
    }

    /// At an urgent byte (tcp(7)), splice(2) reports that there are no bytes, and after the end of the stream that it has ended.
    /// recv(2) omits the urgent byte, and returns those after it.
    fn fill_after_urgent_byte(&self, from: impl AsFd) -> nix::Result<usize> {
        let mut buffer = [0; PAGE];
        let length = recv(from.as_fd().as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT)?;
        write(&self.pipe.input, buffer.get(..length).unwrap_or_default())
    }
}

/// A pipe with bytes. Dropping it before it is empty discards the bytes and closes the pipe.
pub struct FilledPipe<'a> {
    pipe: Pipe,
    pipes: &'a Pipes,
    length: usize,
}

impl FilledPipe<'_> {
    /// How many bytes the pipe has.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Moves bytes from the pipe to a socket. Returns whether the pipe is empty.
    pub fn drain(&mut self, to: impl AsFd) -> nix::Result<bool> {
        self.length = self.length.saturating_sub(move_bytes(&self.pipe.output, to, self.length)?);
        Ok(self.length == 0)
    }

    /// Returns the empty pipe to the others.
    pub fn release(self) {
        if self.length == 0 {
            self.pipes.put(self.pipe);
        }
    }
}

fn move_bytes(from: impl AsFd, to: impl AsFd, most: usize) -> nix::Result<usize> {
    let flags = SpliceFFlags::SPLICE_F_MOVE | SpliceFFlags::SPLICE_F_NONBLOCK;
    loop {
        match splice(from.as_fd(), None, to.as_fd(), None, most, flags) {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}
