//! Sockets that tokio waits for.

use std::io;

use socket2::Socket;
use tokio::io::unix::AsyncFd;

/// Registers a socket with the runtime of the calling thread.
pub fn register(socket: Socket) -> io::Result<AsyncFd<Socket>> {
    socket.set_nonblocking(true)?;
    // SAFETY: the socket owns the descriptor, and always returns the same one.
    unsafe { AsyncFd::register(socket) }.map_err(|error| error.into_parts().1)
}
