//! One leg of a connection.

use std::{cell::Cell, io, net::Shutdown, os::fd::OwnedFd, time::Duration};

use nix::errno::Errno;
use socket2::{SockAddr, Socket};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::{Instant, sleep},
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
/// nothing reports when there is room. The pause is doubled up to the longest one.
const FULL_QUEUE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(160);

/// How long such attempts are repeated: about as long as TCP repeats its own by default (`tcp_syn_retries` in tcp(7)).
const FULL_FOR: Duration = Duration::from_secs(127);

impl Stream {
    pub fn new(socket: Socket) -> io::Result<Self> {
        // Unix sockets do not have the option. Bytes are sent as they arrive, as the two ends have chosen.
        let _ = socket.set_tcp_nodelay(true);
        // The two ends cannot notice through the forwarding that the machine of the other one has gone.
        let _ = socket.set_keepalive(true);
        Ok(Self { socket: register(socket)?, is_finished: Cell::new(false) })
    }

    /// Registers the socket only now: tokio remembers for ever that an unconnected one has hung up, as epoll(7) reports it, and
    /// would never wait for its bytes.
    pub async fn connect(socket: OwnedFd, address: &SockAddr) -> io::Result<Self> {
        let socket = Socket::from(socket);
        socket.set_nonblocking(true)?;
        let end = Instant::now() + FULL_FOR;
        let mut pause = FULL_QUEUE;
        loop {
            match socket.connect(address) {
                Ok(()) => return Self::new(socket),
                Err(error) => match error.raw_os_error().map(Errno::from_raw) {
                    Some(Errno::EINPROGRESS | Errno::EINTR | Errno::EALREADY) => break,
                    Some(Errno::EAGAIN) if address.is_unix() && Instant::now() < end => {
                        sleep(pause).await;
                        pause = (2 * pause).min(LONGEST_PAUSE);
                    }
                    _ => return Err(error),
                },
            }
        }
        let stream = Self::new(socket)?;
        stream.socket.writable().await?.retain_ready();
        match stream.socket.get_ref().take_error()? {
            None => Ok(stream),
            Some(error) => Err(error),
        }
    }

    /// Ends when the socket has an error: its peer has reset the connection.
    pub async fn failed(&self) -> io::Error {
        match self.socket.ready(Interest::ERROR).await {
            Ok(_) => Errno::ECONNRESET.into(),
            Err(error) => error,
        }
    }

    /// Moves bytes to another stream until this one ends, and then ends the other one, too. Each may continue in the opposite
    /// direction.
    pub async fn pump(&self, to: &Self, pipes: &Pipes, counters: &Counters, direction: Direction) -> io::Result<()> {
        loop {
            let mut ready = self.socket.readable().await?;
            let pipe = pipes.take().await?;
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
