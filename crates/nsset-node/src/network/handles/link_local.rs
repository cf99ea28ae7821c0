//! Connections to link-local addresses. The zone of such an address (after `%`) is the name of a link inside. libuv knows only
//! the links outside, and since version 1.49 adds one of them to an address without a zone.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddrV6, TcpStream},
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
};
use nsset::{Error, Kind, SystemError};
use tokio::net::TcpSocket;

use crate::{
    deferred::{Loop, Promise},
    failure::guard,
    give::give,
    network::{
        handles::{handle_fd::fd_of, lent_socket::LentSocket, zone::index_of},
        inside::{Inside, open},
        native_network::NativeNetwork,
        sockets::Sockets,
    },
    network_thread::{failure::Failure, thread},
};

/// The destination of a connection.
#[napi(object, object_to_js = false)]
pub struct NativeLinkLocal {
    /// The address without its zone.
    pub address: String,
    pub port: u16,
    /// The name or index of the link inside. Default: the first link with a link-local address, as with libuv.
    pub zone: Option<String>,
}

#[napi]
impl NativeNetwork {
    /// Connects to a link-local address, with the socket of the handle if one is given. The socket is in `connection` afterwards.
    #[napi(
        catch_unwind,
        ts_args_type = "connection: NativeConnection, place: NativeLinkLocal, bound?: object",
        ts_return_type = "Promise<void>"
    )]
    pub fn connect_link_local(
        &self,
        env: Env,
        connection: &NativeConnection,
        place: NativeLinkLocal,
        bound: Option<Object<'_>>,
    ) -> Result<Promise<()>> {
        let inside = Arc::clone(&self.inside);
        let socket = connection.socket.clone();
        let (address, bound) = guard(env, || {
            let address: Ipv6Addr = place
                .address
                .parse()
                .map_err(|_| Error::InvalidArgument(format!("'{}' is not an IPv6 address", place.address)))?;
            Ok((address, bound.as_ref().map(clone_of).transpose()?))
        })?;
        thread::promise(env, Loop::Held, move |deferred| async move {
            let connected = socket.until_ended(connect(&inside, address, &place, bound)).await;
            deferred.settle(connected.map(|connected| socket.put(connected)));
        })
    }
}

/// A connection that does not belong to a handle of Node.js yet.
#[napi]
#[derive(Default)]
pub struct NativeConnection {
    socket: LentSocket,
}

impl Drop for NativeConnection {
    /// Closes a socket that JavaScript did not take, for example in a terminated Worker.
    fn drop(&mut self) {
        self.socket.end();
    }
}

#[napi]
impl NativeConnection {
    #[napi(catch_unwind, constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Passes the socket to a handle of Node.js. Returns the value of the handle's `open`.
    #[napi(catch_unwind, ts_args_type = "handle: object")]
    pub fn give(&self, env: Env, handle: Object<'_>) -> Result<i32> {
        let fd = guard(env, || {
            let socket = self.socket.take().ok_or_else(|| SystemError::new(Errno::EBADF, "connect"))?;
            make_blocking(&socket).map_err(|errno| SystemError::new(errno, "fcntl"))?;
            Ok(socket)
        })?;
        give(&handle, fd)
    }

    /// Ends the connection if no handle has taken its socket.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.socket.end();
    }
}

async fn connect(
    inside: &Inside,
    address: Ipv6Addr,
    NativeLinkLocal { port, zone, .. }: &NativeLinkLocal,
    bound: Option<OwnedFd>,
) -> std::result::Result<OwnedFd, Failure> {
    let sockets = open(inside)?;
    let socket = match bound {
        Some(socket) => socket,
        None => sockets.socket_inside(libc::AF_INET6, libc::SOCK_STREAM, 0).await?,
    };
    let index = match zone {
        Some(zone) => match index_of(socket.as_fd(), zone) {
            0 => return Err(Error::from(SystemError::new(Errno::ENODEV, "connect").kind(Kind::Net)).into()),
            index => index,
        },
        None => first_link(&sockets).await?,
    };
    drop(sockets);
    let socket = TcpStream::from(socket);
    socket.set_nonblocking(true).map_err(|error| refused(&error))?;
    let place = SocketAddrV6::new(address, *port, 0, index);
    let connected = TcpSocket::from_std_stream(socket).connect(place.into()).await;
    let stream = connected.and_then(tokio::net::TcpStream::into_std).map_err(|error| refused(&error))?;
    Ok(stream.into())
}

/// Returns the index of the first link with a link-local address; 0 if there is none.
async fn first_link(sockets: &Sockets) -> std::result::Result<u32, Failure> {
    let addresses = sockets.addresses().await?.list(None).await?;
    let is_link_local = |ip: IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    Ok(addresses.iter().find(|each| is_link_local(each.cidr.addr())).map_or(0, |each| each.link))
}

/// Duplicates the socket of a handle.
fn clone_of(handle: &Object<'_>) -> nsset::Result<OwnedFd> {
    let socket = fd_of(handle).map_err(|errno| SystemError::new(errno, "connect"))?;
    socket.try_clone_to_owned().map_err(|_| SystemError::new(Errno::last(), "dup").into())
}

/// Sets a socket to blocking mode, which passing it to a handle requires.
fn make_blocking(socket: &OwnedFd) -> nix::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(socket, FcntlArg::F_GETFL)?);
    fcntl(socket, FcntlArg::F_SETFL(flags - OFlag::O_NONBLOCK)).map(drop)
}

fn refused(error: &std::io::Error) -> Failure {
    let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
    Error::from(SystemError::new(errno, "connect").kind(Kind::Net)).into()
}
