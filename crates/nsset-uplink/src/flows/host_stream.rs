//! The end of a connection that is on the host.

use std::{
    io,
    net::{Shutdown, SocketAddr},
    os::{fd::AsRawFd, unix::net::UnixStream},
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::socket::{MsgFlags, recv, send},
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{Interest, unix::AsyncFd};

use crate::{async_socket::register, flows::marks, packets::traffic_class::TrafficClass};

/// A connected socket. It is reset when it is dropped, unless it has been finished.
pub struct HostStream {
    socket: AsyncFd<Socket>,
    is_finished: bool,
}

impl HostStream {
    /// Connects to an address, from the network of the calling thread, with packets of a class.
    pub async fn connect(to: SocketAddr, class: TrafficClass) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
        socket.set_tcp_nodelay(true)?;
        // The host cannot notice through the uplink that the machine of the other end has gone.
        socket.set_keepalive(true)?;
        if class != TrafficClass::default() {
            let _ = marks::set(&socket, class);
        }
        match socket.connect(&to.into()) {
            Ok(()) => return Self::new(socket),
            Err(error) if error.raw_os_error() == Some(Errno::EINPROGRESS as i32) => {}
            Err(error) => return Err(error),
        }
        let stream = Self::new(socket)?;
        stream.socket.writable().await?.retain_ready();
        match stream.socket.get_ref().take_error()? {
            None => Ok(stream),
            Some(error) => Err(error),
        }
    }

    /// Takes one end of a pair, whose other end is served by this process.
    pub fn pair() -> io::Result<(Self, UnixStream)> {
        let (one, other) = UnixStream::pair()?;
        other.set_nonblocking(true)?;
        Ok((Self::new(Socket::from(std::os::fd::OwnedFd::from(one)))?, other))
    }

    fn new(socket: Socket) -> io::Result<Self> {
        Ok(Self { socket: register(socket)?, is_finished: false })
    }

    /// Makes it the class of what is sent from now on. A unix socket has none.
    pub fn mark(&self, class: TrafficClass) {
        let _ = marks::set(self.socket.get_ref(), class);
    }

    /// Writes bytes. `None` if the kernel takes none now.
    pub fn write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        now(self.socket.try_io(Interest::WRITABLE, |socket| Ok(send(socket.as_raw_fd(), bytes, flags)?)))
    }

    /// Reads bytes. `None` if there are none now; 0 at the end.
    pub fn read(&self, bytes: &mut [u8]) -> io::Result<Option<usize>> {
        let receive = |socket: &Socket| Ok(recv(socket.as_raw_fd(), bytes, MsgFlags::MSG_DONTWAIT)?);
        now(self.socket.try_io(Interest::READABLE, receive))
    }

    /// Waits until it can be read or written, as wanted; if neither is, until it has an error.
    pub async fn ready(&self, reads: bool, writes: bool) {
        let interest = match (reads, writes) {
            (true, true) => Interest::READABLE | Interest::WRITABLE,
            (true, false) => Interest::READABLE,
            (false, true) => Interest::WRITABLE,
            (false, false) => Interest::ERROR,
        };
        if let Ok(mut ready) = self.socket.ready(interest).await {
            ready.retain_ready();
        }
    }

    pub fn end_writing(&self) -> io::Result<()> {
        match self.socket.get_ref().shutdown(Shutdown::Write) {
            // The other end has closed the connection after the last byte.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }

    /// Closes the socket without a reset: both directions have ended.
    pub fn finish(mut self) {
        self.is_finished = true;
    }
}

impl Drop for HostStream {
    fn drop(&mut self) {
        if !self.is_finished {
            // close(2) then sends a reset (socket(7)). A unix socket ignores the option.
            let _ = self.socket.get_ref().set_linger(Some(Duration::ZERO));
        }
    }
}

fn now(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(length) => Ok(Some(length)),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(None),
        Err(error) => Err(error),
    }
}
