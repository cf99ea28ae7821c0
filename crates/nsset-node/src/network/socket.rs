//! Sockets of Node's own: born inside, and bound there. What else is done with them Node does.

use std::{
    net::{IpAddr, SocketAddr},
    os::fd::{AsRawFd, BorrowedFd, IntoRawFd},
};

use napi::{Env, Result};
use napi_derive::napi;
use nix::{
    errno::Errno,
    sys::socket::{SockaddrStorage, UnixAddr, bind, setsockopt, sockopt},
};
use nsset::{Error, Kind, SystemError};

use super::{NativeNetwork, open};
use crate::failure::guard;

/// How a socket is bound.
#[napi(object, object_to_js = false)]
pub struct NativeBinding {
    /// An IP address without a zone, or an abstract name of `AF_UNIX`, without its NUL.
    pub address: String,
    /// Left out for an abstract name.
    pub port: Option<u16>,
    pub reuse_address: bool,
    pub reuse_port: bool,
    pub ipv6_only: bool,
}

#[napi]
impl NativeNetwork {
    /// Makes a socket inside, which the caller owns; one that is bound to a link of this name, where one is given.
    #[napi(catch_unwind)]
    pub fn socket(&self, env: Env, domain: i32, kind: i32, protocol: i32, device: Option<String>) -> Result<i32> {
        guard(env, || {
            let fd = open(&self.inside)?.socket(domain, kind, protocol)?;
            if let Some(device) = device {
                setsockopt(&fd, sockopt::BindToDevice, &device.into()).map_err(|errno| failed(errno, "setsockopt"))?;
            }
            Ok(fd.into_raw_fd())
        })
    }
}

/// Binds a socket of the caller's: it takes no thread inside to do so (ip(7)).
#[napi(catch_unwind)]
pub fn bind_socket(env: Env, fd: i32, binding: NativeBinding) -> Result<()> {
    guard(env, || {
        if fd < 0 {
            return Err(failed(Errno::EBADF, "bind"));
        }
        // SAFETY: the face has just made it, and closes it later.
        let socket = unsafe { BorrowedFd::borrow_raw(fd) };
        binding.prepare(socket).map_err(|errno| failed(errno, "setsockopt"))?;
        binding.bind(socket)
    })
}

impl NativeBinding {
    fn prepare(&self, socket: BorrowedFd<'_>) -> nix::Result<()> {
        if self.reuse_address {
            setsockopt(&socket, sockopt::ReuseAddr, &true)?;
        }
        if self.reuse_port {
            setsockopt(&socket, sockopt::ReusePort, &true)?;
        }
        if self.ipv6_only {
            setsockopt(&socket, sockopt::Ipv6V6Only, &true)?;
        }
        Ok(())
    }

    fn bind(&self, socket: BorrowedFd<'_>) -> nsset::Result<()> {
        let bound = match self.port {
            None => {
                UnixAddr::new_abstract(self.address.as_bytes()).and_then(|address| bind(socket.as_raw_fd(), &address))
            }
            Some(port) => {
                let address: IpAddr = self
                    .address
                    .parse()
                    .map_err(|_| Error::InvalidArgument(format!("'{}' is no IP address", self.address)))?;
                bind(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(address, port)))
            }
        };
        bound.map_err(|errno| failed(errno, "bind"))
    }
}

fn failed(errno: Errno, syscall: &'static str) -> Error {
    SystemError::new(errno, syscall).kind(Kind::Net).into()
}
