//! Pipes through which splice(2) moves bytes from one socket to another.

use std::{
    cell::RefCell,
    os::fd::{AsFd, OwnedFd},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice},
    unistd::pipe2,
};

/// The capacity of a pipe. An ordinary user may not have more than 1 MiB in one pipe (pipe(7)).
const CAPACITY: usize = 256 * 1024;

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
    /// Returns an empty pipe.
    pub fn take(&self) -> nix::Result<EmptyPipe<'_>> {
        let kept = self.0.borrow_mut().pop();
        let pipe = kept.map_or_else(Pipe::new, Ok)?;
        Ok(EmptyPipe { pipe, pipes: self })
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
        match move_bytes(from, &self.pipe.input, CAPACITY) {
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
