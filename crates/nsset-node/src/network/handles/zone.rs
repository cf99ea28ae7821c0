//! Zones of addresses (`fe80::1%eth0`): the names and indexes of links in the network of a socket. The kernel looks them up in
//! the network of the descriptor, not in that of the calling thread (netdevice(7)).

use std::{
    ffi::CStr,
    mem::zeroed,
    net::{Ipv4Addr, Ipv6Addr, SocketAddrV6},
    os::fd::{AsRawFd, BorrowedFd},
};

/// Returns the index of the link of a zone, which is a name or an index; 0 if there is none, as with libuv.
pub fn index_of(socket: BorrowedFd<'_>, zone: &str) -> u32 {
    index_of_name(socket, zone).or_else(|| zone.parse().ok()).unwrap_or(0)
}

/// Returns a socket address. The zone is empty if the address has none.
pub fn address_of(socket: BorrowedFd<'_>, address: Ipv6Addr, port: u16, zone: &str) -> SocketAddrV6 {
    SocketAddrV6::new(address, port, 0, index_of(socket, zone))
}

/// Returns the text of an address in libuv's format. A link-local address gets the name of its link, or the index if the link no
/// longer exists.
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
    // SAFETY: the kernel has written this field if the request succeeded.
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

/// Returns a request about the link of this name, or `None` if a link cannot have this name.
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
    // SAFETY: an `ifreq` has integers and a union of integers and a pointer, and zeros are valid for all of these.
    unsafe { zeroed() }
}
