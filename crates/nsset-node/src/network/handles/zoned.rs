//! The methods of UDP handles whose arguments name a link inside. libuv would look up the link in the network of the calling
//! thread. Each function returns the same value as the handle's method: 0 or more, or a negative error number.

use std::{
    io::IoSlice,
    mem::size_of_val,
    net::{Ipv6Addr, SocketAddrV6},
    os::fd::{AsRawFd, BorrowedFd},
};

use napi::bindgen_prelude::{Buffer, Object};
use napi_derive::napi;
use nix::{
    errno::Errno,
    sys::socket::{MsgFlags, SockaddrIn6, connect, sendmsg},
};

use crate::network::{
    handles::handle_fd::{fd_of, status},
    handles::zone::{address_of, index_of},
};

/// A membership in an IPv6 multicast group.
#[napi(object, object_to_js = false)]
pub struct NativeMembership {
    pub group: String,
    /// If given, the socket receives only datagrams from this sender.
    pub source: Option<String>,
    /// The name or index of the link.
    pub zone: String,
    /// Whether to leave the group.
    pub leave: bool,
}

/// Sends a datagram through the link of a zone, without waiting. Returns its length in bytes.
#[napi(catch_unwind, ts_args_type = "handle: object, parts: Uint8Array[], address: string, port: number, zone: string")]
pub fn send_by_zone(handle: Object<'_>, parts: Vec<Buffer>, address: String, port: u16, zone: String) -> i32 {
    let send = || {
        let socket = fd_of(&handle)?;
        let to = SockaddrIn6::from(place_of(socket, &address, port, &zone)?);
        let parts: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let sent = sendmsg(socket.as_raw_fd(), &parts, &[], MsgFlags::MSG_DONTWAIT, Some(&to))?;
        i32::try_from(sent).map_err(|_| Errno::EMSGSIZE)
    };
    status(send())
}

/// Connects a UDP socket through the link of a zone.
#[napi(catch_unwind, ts_args_type = "handle: object, address: string, port: number, zone: string")]
pub fn connect_by_zone(handle: Object<'_>, address: String, port: u16, zone: String) -> i32 {
    let connect = || {
        let socket = fd_of(&handle)?;
        let to = SockaddrIn6::from(place_of(socket, &address, port, &zone)?);
        connect(socket.as_raw_fd(), &to).map(|()| 0)
    };
    status(connect())
}

/// Joins or leaves an IPv6 multicast group on a link.
#[napi(catch_unwind, ts_args_type = "handle: object, membership: NativeMembership")]
pub fn set_membership_by_zone(handle: Object<'_>, membership: NativeMembership) -> i32 {
    let set = || membership.set(fd_of(&handle)?).map(|()| 0);
    // libuv reports the error in the same way.
    match status(set()) {
        NO_SUCH_ADDRESS => -libc::ENODEV,
        status => status,
    }
}

const NO_SUCH_ADDRESS: i32 = -libc::ENXIO;

/// Makes datagrams to multicast groups leave through the link of a zone.
#[napi(catch_unwind, ts_args_type = "handle: object, zone: string")]
pub fn set_multicast_zone(handle: Object<'_>, zone: String) -> i32 {
    let set = || {
        let socket = fd_of(&handle)?;
        set_option(socket, libc::IPV6_MULTICAST_IF, &index_of(socket, &zone)).map(|()| 0)
    };
    status(set())
}

impl NativeMembership {
    fn set(&self, socket: BorrowedFd<'_>) -> nix::Result<()> {
        let index = index_of(socket, &self.zone);
        let Some(source) = &self.source else {
            let request = libc::ipv6_mreq { ipv6mr_multiaddr: bytes_of(ip_of(&self.group)?), ipv6mr_interface: index };
            let option = if self.leave { libc::IPV6_DROP_MEMBERSHIP } else { libc::IPV6_ADD_MEMBERSHIP };
            return set_option(socket, option, &request);
        };
        let request = SourceRequest {
            interface: index,
            group: Storage::of(ip_of(&self.group)?),
            source: Storage::of(ip_of(source)?),
        };
        let option = if self.leave { MCAST_LEAVE_SOURCE_GROUP } else { MCAST_JOIN_SOURCE_GROUP };
        set_option(socket, option, &request)
    }
}

/// From linux/in.h.
const MCAST_JOIN_SOURCE_GROUP: i32 = 46;
const MCAST_LEAVE_SOURCE_GROUP: i32 = 47;

/// `struct group_source_req` of linux/in.h.
#[repr(C)]
struct SourceRequest {
    interface: u32,
    group: Storage,
    source: Storage,
}

/// `struct sockaddr_storage`, with an address of IPv6.
#[repr(C)]
union Storage {
    address: libc::sockaddr_in6,
    room: libc::sockaddr_storage,
}

impl Storage {
    fn of(ip: Ipv6Addr) -> Self {
        // SAFETY: a `sockaddr_storage` has only integers, for which zeros are valid.
        let mut storage = Self { room: unsafe { std::mem::zeroed() } };
        storage.address = libc::sockaddr_in6 {
            sin6_family: libc::AF_INET6 as _,
            sin6_port: 0,
            sin6_flowinfo: 0,
            sin6_addr: bytes_of(ip),
            sin6_scope_id: 0,
        };
        storage
    }
}

fn set_option<T>(socket: BorrowedFd<'_>, option: i32, value: &T) -> nix::Result<()> {
    let length = libc::socklen_t::try_from(size_of_val(value)).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the descriptor is open, and `value` is valid for the given number of bytes.
    let status =
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::IPPROTO_IPV6, option, (&raw const *value).cast(), length) };
    Errno::result(status).map(drop)
}

fn place_of(socket: BorrowedFd<'_>, address: &str, port: u16, zone: &str) -> nix::Result<SocketAddrV6> {
    Ok(address_of(socket, ip_of(address)?, port, zone))
}

fn ip_of(address: &str) -> nix::Result<Ipv6Addr> {
    address.parse().map_err(|_| Errno::EINVAL)
}

fn bytes_of(ip: Ipv6Addr) -> libc::in6_addr {
    libc::in6_addr { s6_addr: ip.octets() }
}
