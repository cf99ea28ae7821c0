//! Sockets for handles of Node.js, created and bound inside. Node.js does everything else with them.

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

/// A socket to create, and where to bind it.
#[napi(object, object_to_js = false)]
pub struct NativeSocket {
    /// The domain of socket(2).
    pub domain: i32,
    /// The type of socket(2).
    #[napi(js_name = "type")]
    pub kind: i32,
    /// Where to bind the socket, if at all.
    pub binding: Option<NativeBinding>,
}

/// The address that a socket is bound to.
#[napi(object, object_to_js = false)]
pub struct NativeBinding {
    /// An IP address without its zone, or an abstract name of `AF_UNIX` without its leading NUL.
    pub address: String,
    /// The name or index of the link inside, for a link-local address.
    pub zone: Option<String>,
    /// Left out for an abstract name.
    pub port: Option<u16>,
    pub reuse_address: bool,
    pub reuse_port: bool,
    pub ipv6_only: bool,
}

#[napi]
impl NativeNetwork {
    /// Creates a socket inside and passes it to a handle of Node.js. Returns the value of the handle's `open`: 0, or a negative
    /// error number.
    #[napi(catch_unwind, ts_args_type = "handle: object, socket: NativeSocket")]
    pub fn open_handle(&self, env: Env, handle: Object<'_>, socket: NativeSocket) -> Result<i32> {
        let fd = guard(env, || self.make(&socket))?;
        give(&handle, fd)
    }

    fn make(&self, spec: &NativeSocket) -> nsset::Result<OwnedFd> {
        let fd = open(&self.inside)?.socket(spec.domain, spec.kind, 0)?;
        if let Some(binding) = &spec.binding {
            // A thread outside can do this: the socket belongs to the network inside (ip(7)).
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
                    .map_err(|_| Error::InvalidArgument(format!("'{}' is not an IP address", self.address)))?;
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
