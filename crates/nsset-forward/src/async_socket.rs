//! Sockets that tokio waits for.

use std::io;

use socket2::Socket;
use tokio::io::unix::AsyncFd;

/// Makes a socket non-blocking, and registers it with the runtime of the calling thread.
pub fn register(socket: Socket) -> io::Result<AsyncFd<Socket>> {
    socket.set_nonblocking(true)?;
    // SAFETY: the `AsyncFd` owns the socket, which keeps the same open descriptor until it is dropped.
    Ok(unsafe { AsyncFd::register(socket) }?)
}
