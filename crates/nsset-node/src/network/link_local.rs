//! Connections to link-local addresses. What is behind the `%` of one is the name of a link inside, while libuv knows those
//! outside only, and from 1.49 on puts one of them into an address that has none.

use std::{
    net::{Ipv6Addr, SocketAddrV6, TcpStream},
    os::fd::OwnedFd,
    pin::pin,
    sync::Arc,
};

use futures_util::future::{Either, select};
use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
};
use nsset::{Error, Kind, SystemError};
use nsset_net::LinkRef;
use tokio::net::TcpSocket;

use super::{Inside, NativeNetwork, failure::Failure, open, reply::Reply, thread};
use crate::{environment, failure::guard, give::give};

#[napi]
impl NativeNetwork {
    /// Connects to an address of the link of this name; the answer to `id` says that it is connected.
    #[napi(catch_unwind)]
    pub fn connect_link_local(&self, env: Env, id: u32, address: String, port: u16, link: String) -> Result<()> {
        let reply = Reply::new(id, Arc::clone(&environment::of(env)?.answer_line));
        let inside = Arc::clone(&self.inside);
        let connections = self.connections.clone();
        guard(env, || {
            let address: Ipv6Addr =
                address.parse().map_err(|_| Error::InvalidArgument(format!("'{address}' is no IPv6 address")))?;
            let dropped = connections.begin(id);
            thread::run(move || async move {
                let outcome = match select(pin!(connect(&inside, address, port, &link)), pin!(dropped)).await {
                    Either::Left((connected, _)) => connected.map(|socket| connections.keep(id, socket)),
                    Either::Right(_) => Err(Error::from(SystemError::new(Errno::ECANCELED, "connect")).into()),
                };
                if outcome.is_err() {
                    connections.drop_one(id);
                }
                reply.end(outcome);
            })
        })
    }

    /// Has a handle of Node's take the socket of that connection. Returns what the handle's `open` returns.
    #[napi(catch_unwind, ts_args_type = "handle: object, id: number")]
    pub fn give_connection(&self, env: Env, handle: Object<'_>, id: u32) -> Result<i32> {
        let fd = guard(env, || {
            let socket = self.connections.take(id).ok_or_else(|| SystemError::new(Errno::EBADF, "connect"))?;
            make_blocking(&socket).map_err(|errno| SystemError::new(errno, "fcntl"))?;
            Ok(socket)
        })?;
        give(&handle, fd)
    }

    /// Ends that connection, where no handle has taken its socket.
    #[napi(catch_unwind)]
    pub fn drop_connection(&self, id: u32) {
        self.connections.drop_one(id);
    }
}

async fn connect(inside: &Inside, address: Ipv6Addr, port: u16, link: &str) -> std::result::Result<OwnedFd, Failure> {
    let sockets = open(inside)?;
    let index = sockets.links().await?.index(&LinkRef::Name(link.into())).await?;
    let socket = TcpStream::from(sockets.socket_inside(libc::AF_INET6, libc::SOCK_STREAM, 0).await?);
    drop(sockets);
    socket.set_nonblocking(true).map_err(|error| refused(&error))?;
    let place = SocketAddrV6::new(address, port, 0, index);
    let connected = TcpSocket::from_std_stream(socket).connect(place.into()).await;
    let stream = connected.and_then(tokio::net::TcpStream::into_std).map_err(|error| refused(&error))?;
    Ok(stream.into())
}

/// As a handle is given a descriptor.
fn make_blocking(socket: &OwnedFd) -> nix::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(socket, FcntlArg::F_GETFL)?);
    fcntl(socket, FcntlArg::F_SETFL(flags - OFlag::O_NONBLOCK)).map(drop)
}

fn refused(error: &std::io::Error) -> Failure {
    let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
    Error::from(SystemError::new(errno, "connect").kind(Kind::Net)).into()
}
