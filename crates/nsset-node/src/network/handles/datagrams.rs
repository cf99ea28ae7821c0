//! Receives IPv6 datagrams, also from link-local neighbours. Node.js looks up the link of such a sender in the network of the
//! calling thread, and drops the datagram if no link there has that index.

use std::{
    io::{Error as IoError, IoSliceMut},
    net::SocketAddrV6,
    os::fd::{AsRawFd, BorrowedFd, OwnedFd},
};

use napi::{
    Env, Result,
    bindgen_prelude::{Buffer, Object},
};
use napi_derive::napi;
use nix::{
    errno::Errno,
    sys::socket::{MsgFlags, SockaddrIn6, SockaddrStorage, getpeername, getsockname, recvmsg},
};
use nsset::{Error, Kind, SystemError};
use tokio::io::{Interest, unix::AsyncFd};

use crate::{
    deferred::{Loop, Promise},
    failure::guard,
    network::handles::{handle_fd::fd_of, lent_socket::LentSocket, zone::text_of},
    network_thread::{failure::Failure, thread},
};

/// A received datagram, or an error.
#[napi(object, object_from_js = false)]
pub struct NativeDatagram {
    /// The length in bytes, or a negative error number.
    pub status: i32,
    /// Left out for an error.
    pub message: Option<Buffer>,
    /// The address of the sender.
    pub address: Option<String>,
    pub port: Option<u16>,
}

/// A link-local address of a socket, with its zone.
#[napi(object, object_from_js = false)]
pub struct NativeName {
    pub address: String,
    pub port: u16,
}

/// The largest size of a datagram.
const MOST_BYTES: usize = 65_536;
/// libuv also reads this many datagrams before it handles other events.
const MOST_AT_ONCE: usize = 32;

/// Watches the socket of a handle, with a duplicated descriptor.
#[napi]
pub struct NativeWatch {
    socket: LentSocket,
    interest: Interest,
}

impl Drop for NativeWatch {
    fn drop(&mut self) {
        self.socket.end();
    }
}

#[napi]
impl NativeWatch {
    #[napi(catch_unwind, constructor, ts_args_type = "handle: object, toWrite: boolean")]
    pub fn new(env: Env, handle: Object<'_>, to_write: bool) -> Result<Self> {
        let socket = guard(env, || clone_of(&handle))?;
        let interest = if to_write { Interest::WRITABLE } else { Interest::READABLE };
        Ok(Self { socket: LentSocket::new(socket), interest })
    }

    /// Resolves when the socket can be read, or written, or has an error. Call this again only after the promise is settled. Only
    /// a promise for writing keeps the event loop alive.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn ready(&self, env: Env) -> Result<Promise<()>> {
        let (socket, interest) = (self.socket.clone(), self.interest);
        let keeps = if interest.is_writable() { Loop::Held } else { Loop::Free };
        thread::promise(env, keeps, move |deferred| async move {
            deferred.settle(socket.until_ended(ready(&socket, interest)).await);
        })
    }

    /// Ends the watch. A pending promise is rejected.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.socket.end();
    }
}

/// Duplicates the descriptor of a handle.
fn clone_of(handle: &Object<'_>) -> nsset::Result<OwnedFd> {
    let cloned = fd_of(handle).and_then(|fd| fd.try_clone_to_owned().map_err(|error| errno_of(&error)));
    cloned.map_err(|errno| SystemError::new(errno, "dup").into())
}

async fn ready(lent: &LentSocket, interest: Interest) -> std::result::Result<(), Failure> {
    let socket = lent.take().ok_or_else(|| failed(Errno::ECANCELED))?;
    let interest = interest | Interest::ERROR;
    // SAFETY: the `AsyncFd` owns the socket, whose descriptor stays open and the same for as long as the `AsyncFd` lives.
    let watched = unsafe { AsyncFd::register_with_interest(socket, interest) };
    let watched = watched.map_err(|error| failed(errno_of(&error.into())))?;
    watched.ready(interest).await.map(drop).map_err(|error| failed(errno_of(&error)))?;
    lent.put(watched.into_inner());
    Ok(())
}

/// Receives the datagrams that wait at an IPv6 socket, at most as many as libuv reads at a time.
#[napi(catch_unwind, ts_args_type = "handle: object")]
pub fn receive_datagrams(handle: Object<'_>) -> Vec<NativeDatagram> {
    let Ok(socket) = fd_of(&handle) else { return Vec::new() };
    let mut room = vec![0; MOST_BYTES];
    let mut datagrams = Vec::new();
    while datagrams.len() < MOST_AT_ONCE {
        match receive(socket, &mut room) {
            Ok(datagram) => datagrams.push(datagram),
            Err(Errno::EAGAIN) => break,
            Err(Errno::EINTR) => {}
            Err(errno) => {
                datagrams.push(NativeDatagram { status: -(errno as i32), message: None, address: None, port: None });
                break;
            }
        }
    }
    datagrams
}

fn receive(socket: BorrowedFd<'_>, room: &mut [u8]) -> nix::Result<NativeDatagram> {
    let (length, from) = {
        let mut parts = [IoSliceMut::new(&mut *room)];
        let received = recvmsg::<SockaddrIn6>(socket.as_raw_fd(), &mut parts, None, MsgFlags::MSG_DONTWAIT)?;
        (received.bytes, received.address.map(SocketAddrV6::from))
    };
    let message = room.get(..length).unwrap_or_default();
    Ok(NativeDatagram {
        status: i32::try_from(length).unwrap_or(i32::MAX),
        message: Some(message.to_vec().into()),
        address: from.as_ref().map(|from| text_of(socket, from)),
        port: from.map(|from| from.port()),
    })
}

/// Returns the address of a socket or of its peer if it is link-local, and null otherwise: Node.js reports all other addresses
/// correctly.
#[napi(catch_unwind, ts_args_type = "handle: object, ofPeer: boolean")]
pub fn link_local_name(handle: Object<'_>, of_peer: bool) -> Option<NativeName> {
    let socket = fd_of(&handle).ok()?;
    let fd = socket.as_raw_fd();
    let name = if of_peer { getpeername::<SockaddrStorage>(fd) } else { getsockname::<SockaddrStorage>(fd) };
    let name = SocketAddrV6::from(*name.ok()?.as_sockaddr_in6()?);
    let is_link_local = name.ip().is_unicast_link_local();
    is_link_local.then(|| NativeName { address: text_of(socket, &name), port: name.port() })
}

fn failed(errno: Errno) -> Failure {
    Error::from(SystemError::new(errno, "poll").kind(Kind::Net)).into()
}

fn errno_of(error: &IoError) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
