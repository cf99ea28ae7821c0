//! Datagrams of IPv6 as they come, from link-local neighbours too. Node.js names the link of such a sender as it is called
//! where the calling thread is, and drops the datagram where no link there has that index.

use std::{
    io::{Error as IoError, IoSliceMut},
    net::SocketAddrV6,
    os::fd::{AsRawFd, BorrowedFd, OwnedFd},
    pin::pin,
    sync::Arc,
};

use futures_util::future::{Either, select};
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

use crate::{environment, failure::guard};
use crate::{
    network::{handles::handle_fd::fd_of, handles::zone::text_of, native_network::NativeNetwork},
    network_thread::{failure::Failure, reply::Reply, thread},
};

/// What has come to a socket.
#[napi(object, object_from_js = false)]
pub struct NativeDatagram {
    /// How many bytes it has, or a negative error number.
    pub status: i32,
    /// Nothing of an error.
    pub message: Option<Buffer>,
    /// Who sent it.
    pub address: Option<String>,
    pub port: Option<u16>,
}

/// A link-local address of a socket, with its zone.
#[napi(object, object_from_js = false)]
pub struct NativeName {
    pub address: String,
    pub port: u16,
}

/// No datagram is larger.
const MOST_BYTES: usize = 65_536;
/// As many as libuv reads before others have their turn.
const MOST_AT_ONCE: usize = 32;

#[napi]
impl NativeNetwork {
    /// Waits until a handle's descriptor can be read, or written, or has an error; then `id` is answered. It has a
    /// descriptor of its own for that, until `id` is dropped, or is the `previous` of the next.
    #[napi(catch_unwind, ts_args_type = "id: number, handle: object, toWrite: boolean, previous: number | null")]
    pub fn watch(&self, env: Env, id: u32, handle: Object<'_>, to_write: bool, previous: Option<u32>) -> Result<()> {
        let reply = Reply::new(id, Arc::clone(&environment::of(env)?.answer_line));
        let connections = self.connections.clone();
        guard(env, || {
            let socket = match previous.and_then(|previous| connections.take(previous)) {
                Some(socket) => socket,
                None => clone_of(&handle)?,
            };
            let dropped = connections.begin(id);
            let interest = if to_write { Interest::WRITABLE } else { Interest::READABLE };
            let outcome = thread::run(move || async move {
                let outcome = match select(pin!(ready(socket, interest)), pin!(dropped)).await {
                    Either::Left((outcome, _)) => outcome.map(|socket| connections.keep(id, socket)),
                    Either::Right(_) => Err(failed(Errno::ECANCELED)),
                };
                reply.end(outcome);
            });
            if outcome.is_err() {
                self.connections.drop_one(id);
            }
            outcome
        })
    }
}

/// The descriptor of a handle once more.
fn clone_of(handle: &Object<'_>) -> nsset::Result<OwnedFd> {
    let cloned = fd_of(handle).and_then(|fd| fd.try_clone_to_owned().map_err(|error| errno_of(&error)));
    cloned.map_err(|errno| SystemError::new(errno, "dup").into())
}

async fn ready(socket: OwnedFd, interest: Interest) -> std::result::Result<OwnedFd, Failure> {
    let interest = interest | Interest::ERROR;
    // SAFETY: the socket is owned by what is made of it, and stays open, and the same, for as long as that lives.
    let watched = unsafe { AsyncFd::register_with_interest(socket, interest) };
    let watched = watched.map_err(|error| failed(errno_of(&error.into())))?;
    watched.ready(interest).await.map(drop).map_err(|error| failed(errno_of(&error)))?;
    Ok(watched.into_inner())
}

/// What has come to a socket of IPv6 by now, at most so much as libuv would read at once.
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

/// The address of a socket, or of its peer, if it is link-local. All others Node.js tells as they are.
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
