//! One leg of a connection.

use std::{cell::Cell, io, net::Shutdown, os::fd::OwnedFd, time::Duration};

use nix::errno::Errno;
use socket2::{SockAddr, Socket};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::sleep,
};

use crate::{
    async_socket::register,
    counters::{Counters, Direction},
    pipes::Pipes,
};

/// A connected socket. It is reset when it is dropped, unless it has been finished.
#[derive(Debug)]
pub struct Stream {
    socket: AsyncFd<Socket>,
    is_finished: Cell<bool>,
}

/// How long to wait before another attempt to connect to a unix socket whose queue is full: connect(2) fails with `EAGAIN`, and
/// nothing reports when there is room.
const FULL_QUEUE: Duration = Duration::from_millis(10);

impl Stream {
    pub fn new(socket: Socket) -> io::Result<Self> {
        // Unix sockets do not have the option. Bytes are sent as they arrive, as the two ends have chosen.
        let _ = socket.set_tcp_nodelay(true);
        Ok(Self { socket: register(socket)?, is_finished: Cell::new(false) })
    }

    pub async fn connect(socket: OwnedFd, address: &SockAddr) -> io::Result<Self> {
        let stream = Self::new(Socket::from(socket))?;
        loop {
            match stream.socket.get_ref().connect(address) {
                Ok(()) => return Ok(stream),
                Err(error) => match error.raw_os_error().map(Errno::from_raw) {
                    Some(Errno::EINPROGRESS | Errno::EINTR | Errno::EALREADY) => break,
                    Some(Errno::EAGAIN) if address.is_unix() => sleep(FULL_QUEUE).await,
                    _ => return Err(error),
                },
            }
        }
        stream.socket.writable().await?.retain_ready();
        match stream.socket.get_ref().take_error()? {
            None => Ok(stream),
            Some(error) => Err(error),
        }
    }

    /// Moves bytes to another stream until this one ends, and then ends the other one, too. Each may continue in the opposite
    /// direction.
    pub async fn pump(&self, to: &Self, pipes: &Pipes, counters: &Counters, direction: Direction) -> io::Result<()> {
        loop {
            let mut ready = self.socket.readable().await?;
            let pipe = pipes.take()?;
            let Ok(filled) = ready.try_io(|from| Ok(pipe.fill(from.get_ref())?)) else { continue };
            let Some(mut filled) = filled? else { break };
            let length = filled.len();
            while !to.socket.async_io(Interest::WRITABLE, |to| Ok(filled.drain(to)?)).await? {}
            filled.release();
            counters.add(direction, length);
        }
        match to.socket.get_ref().shutdown(Shutdown::Write) {
            // The other end has closed the connection after the last byte.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }

    /// Closes the socket without a reset: both directions have ended.
    pub fn finish(self) {
        self.is_finished.set(true);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !self.is_finished.get() {
            // close(2) then sends a reset (socket(7)). A unix socket ignores the option.
            let _ = self.socket.get_ref().set_linger(Some(Duration::ZERO));
        }
    }
}
