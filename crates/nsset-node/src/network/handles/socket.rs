//! Sockets for handles of Node.js: born inside, and bound there. Everything else Node.js does with them.

use std::{
    net::{IpAddr, SocketAddr},
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;
use nix::{
    errno::Errno,
    sys::socket::{SockaddrStorage, UnixAddr, bind, setsockopt, sockopt},
};
use nsset::{Error, Kind, SystemError};

use crate::network::{handles::zone::address_of, inside::open, native_network::NativeNetwork};
use crate::{failure::guard, give::give};

/// A socket, and how it is bound.
#[napi(object, object_to_js = false)]
pub struct NativeSocket {
    /// As socket(2) takes it.
    pub domain: i32,
    /// As socket(2) takes it.
    #[napi(js_name = "type")]
    pub kind: i32,
    /// Where the socket is bound, if it is.
    pub binding: Option<NativeBinding>,
}

/// How a socket is bound.
#[napi(object, object_to_js = false)]
pub struct NativeBinding {
    /// An IP address without its zone, or an abstract name of `AF_UNIX`, without its NUL.
    pub address: String,
    /// The link inside of a link-local address, by its name or its number.
    pub zone: Option<String>,
    /// Left out for an abstract name.
    pub port: Option<u16>,
    pub reuse_address: bool,
    pub reuse_port: bool,
    pub ipv6_only: bool,
}

#[napi]
impl NativeNetwork {
    /// Makes a socket inside and has a handle of Node's take it. Returns what the handle's `open` returns: 0, or a
    /// negative error number.
    #[napi(catch_unwind, ts_args_type = "handle: object, socket: NativeSocket")]
    pub fn open_handle(&self, env: Env, handle: Object<'_>, socket: NativeSocket) -> Result<i32> {
        let fd = guard(env, || self.make(&socket))?;
        give(&handle, fd)
    }

    fn make(&self, spec: &NativeSocket) -> nsset::Result<OwnedFd> {
        let fd = open(&self.inside)?.socket(spec.domain, spec.kind, 0)?;
        if let Some(binding) = &spec.binding {
            // It takes no thread inside to do so (ip(7)).
            binding.prepare(&fd).map_err(|errno| failed(errno, "setsockopt"))?;
            binding.bind(&fd)?;
        }
        Ok(fd)
    }
}

impl NativeBinding {
    fn prepare(&self, socket: &impl AsFd) -> nix::Result<()> {
        if self.reuse_address {
            setsockopt(socket, sockopt::ReuseAddr, &true)?;
        }
        if self.reuse_port {
            setsockopt(socket, sockopt::ReusePort, &true)?;
        }
        if self.ipv6_only {
            setsockopt(socket, sockopt::Ipv6V6Only, &true)?;
        }
        Ok(())
    }

    fn bind(&self, socket: &OwnedFd) -> nsset::Result<()> {
        let bound = match self.port {
            None => {
                UnixAddr::new_abstract(self.address.as_bytes()).and_then(|address| bind(socket.as_raw_fd(), &address))
            }
            Some(port) => {
                let address: IpAddr = self
                    .address
                    .parse()
                    .map_err(|_| Error::InvalidArgument(format!("'{}' is no IP address", self.address)))?;
                let place = match (address, &self.zone) {
                    (IpAddr::V6(address), Some(zone)) => address_of(socket.as_fd(), address, port, zone).into(),
                    _ => SocketAddr::new(address, port),
                };
                bind(socket.as_raw_fd(), &SockaddrStorage::from(place))
            }
        };
        bound.map_err(|errno| failed(errno, "bind"))
    }
}

fn failed(errno: Errno, syscall: &'static str) -> Error {
    SystemError::new(errno, syscall).kind(Kind::Net).into()
}
