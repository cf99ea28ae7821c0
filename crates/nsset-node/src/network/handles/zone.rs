//! Zones of addresses (`fe80::1%eth0`): the names and indexes that links have in the network of a socket, whose descriptor
//! the kernel answers for, wherever the calling thread is (netdevice(7)).

use std::{
    ffi::CStr,
    mem::zeroed,
    net::{Ipv4Addr, Ipv6Addr, SocketAddrV6},
    os::fd::{AsRawFd, BorrowedFd},
};

/// The index of the link that a zone names, by its name or its number; 0 if there is none, as libuv has it.
pub fn index_of(socket: BorrowedFd<'_>, zone: &str) -> u32 {
    index_of_name(socket, zone).or_else(|| zone.parse().ok()).unwrap_or(0)
}

/// The address of a socket, whose zone is empty if it has none.
pub fn address_of(socket: BorrowedFd<'_>, address: Ipv6Addr, port: u16, zone: &str) -> SocketAddrV6 {
    SocketAddrV6::new(address, port, 0, index_of(socket, zone))
}

/// The text of an address, as libuv writes it, with the name of its link if it is link-local: the number if that link is
/// gone.
pub fn text_of(socket: BorrowedFd<'_>, address: &SocketAddrV6) -> String {
    let ip = address.ip();
    if ip.is_unicast_link_local() {
        let index = address.scope_id();
        let zone = name_of(socket, index).unwrap_or_else(|| index.to_string());
        return format!("{ip}%{zone}");
    }
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => ip.to_string(),
        // RFC 4291 calls them IPv4-compatible.
        [0, 0, 0, 0, 0, 0, ..] => format!("::{}", Ipv4Addr::from_bits(ip.to_bits() as u32)),
        _ => ip.to_string(),
    }
}

fn index_of_name(socket: BorrowedFd<'_>, name: &str) -> Option<u32> {
    let mut request = named(name)?;
    // SAFETY: the descriptor is open, and SIOCGIFINDEX reads and writes an `ifreq`, which `request` is.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFINDEX as _, &raw mut request) };
    // SAFETY: of a request that succeeded the kernel has written this field.
    (status == 0).then(|| unsafe { request.ifr_ifru.ifru_ifindex }.cast_unsigned())
}

fn name_of(socket: BorrowedFd<'_>, index: u32) -> Option<String> {
    let mut request = empty();
    request.ifr_ifru.ifru_ifindex = index.cast_signed();
    // SAFETY: the descriptor is open, and SIOCGIFNAME reads and writes an `ifreq`, which `request` is.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFNAME as _, &raw mut request) };
    if status != 0 {
        return None;
    }
    let bytes = request.ifr_name.map(libc::c_char::cast_unsigned);
    CStr::from_bytes_until_nul(&bytes).ok().map(|name| name.to_string_lossy().into_owned())
}

/// A request about the link of this name; none if no link can be called so.
fn named(name: &str) -> Option<libc::ifreq> {
    let mut request = empty();
    // The last byte is its NUL.
    let room = request.ifr_name.len() - 1;
    if name.is_empty() || name.len() > room {
        return None;
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from.cast_signed();
    }
    Some(request)
}

fn empty() -> libc::ifreq {
    // SAFETY: an `ifreq` is integers and a union of such and of a pointer, of all of which zeros are a value.
    unsafe { zeroed() }
}
