//! Connections to link-local addresses. What is behind the `%` of one is the name of a link inside, while libuv knows those
//! outside only, and from 1.49 on puts one of them into an address that has none.

use std::{
    net::{Ipv6Addr, SocketAddrV6, TcpStream},
    os::fd::{IntoRawFd, OwnedFd},
    sync::Arc,
};

use napi::{Env, Result};
use napi_derive::napi;
use nix::errno::Errno;
use nsset::{Error, Kind, SystemError};
use nsset_net::LinkRef;
use tokio::net::TcpSocket;

use super::{Inside, NativeNetwork, failure::Failure, open, reply::Reply, thread};
use crate::{environment, failure::guard};

#[napi]
impl NativeNetwork {
    /// Connects to an address of the link of this name; the answer to `id` says that it is connected.
    #[napi(catch_unwind)]
    pub fn connect_link_local(&self, env: Env, id: u32, address: String, port: u16, link: String) -> Result<()> {
        let reply = Reply::new(id, Arc::clone(&environment::of(env)?.answer_line));
        let inside = Arc::clone(&self.inside);
        guard(env, || {
            let address: Ipv6Addr =
                address.parse().map_err(|_| Error::InvalidArgument(format!("'{address}' is no IPv6 address")))?;
            thread::run(move || async move {
                reply.end(connect_and_keep(&inside, id, address, port, &link).await);
            })
        })
    }

    /// The socket of that connection; the caller owns it from now on.
    #[napi(catch_unwind)]
    pub fn take_socket(&self, env: Env, id: u32) -> Result<i32> {
        guard(env, || {
            let socket = open(&self.inside)?.take(id);
            socket.map(IntoRawFd::into_raw_fd).ok_or_else(|| SystemError::new(Errno::EBADF, "connect").into())
        })
    }
}

async fn connect_and_keep(
    inside: &Inside,
    id: u32,
    address: Ipv6Addr,
    port: u16,
    link: &str,
) -> std::result::Result<(), Failure> {
    let socket = connect(inside, address, port, link).await?;
    open(inside)?.keep(id, socket);
    Ok(())
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

fn refused(error: &std::io::Error) -> Failure {
    let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
    Error::from(SystemError::new(errno, "connect").kind(Kind::Net)).into()
}
