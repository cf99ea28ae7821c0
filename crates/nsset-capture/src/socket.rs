//! A packet socket with a ring: packet(7), and Documentation/networking/packet_mmap.rst of Linux.

use std::{
    io,
    mem::{self, size_of},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    sync::Arc,
};

use nix::sys::socket::{getsockopt, sockopt::SocketError};
use tokio::io::{Interest, unix::AsyncFd};

use crate::program::Instruction;

// linux/if_packet.h
const PACKET_RX_RING: libc::c_int = 5;
const PACKET_STATISTICS: libc::c_int = 6;
const PACKET_VERSION: libc::c_int = 10;
const TPACKET_V3: libc::c_int = 2;
const PACKET_ADD_MEMBERSHIP: libc::c_int = 1;
const PACKET_MR_PROMISC: u16 = 1;

/// A socket of `AF_PACKET`, which receives nothing before it is started.
pub struct PacketSocket {
    socket: OwnedFd,
}

impl AsRawFd for PacketSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// `struct tpacket_req3`
#[repr(C)]
struct RingRequest {
    block_size: u32,
    blocks: u32,
    frame_size: u32,
    frames: u32,
    /// In milliseconds.
    retire_after: u32,
    private_size: u32,
    features: u32,
}

/// `struct tpacket_stats_v3`, and what the kernel counted since the last call.
#[repr(C)]
#[derive(Default)]
pub struct Counts {
    /// Those that passed the filter, with the dropped ones.
    pub received: u32,
    pub dropped: u32,
    freezes: u32,
}

/// `struct packet_mreq`
#[repr(C)]
struct Membership {
    link: i32,
    kind: u16,
    address_length: u16,
    address: [u8; 8],
}

impl PacketSocket {
    pub const fn new(socket: OwnedFd) -> Self {
        Self { socket }
    }

    /// Returns the hardware type of a link.
    ///
    /// # Errors
    /// `ENODEV` if there is no such link.
    pub fn hardware_of(&self, link: u32) -> io::Result<u16> {
        self.bind(link, 0)?;
        Ok(self.address()?.sll_hatype)
    }

    /// Creates the ring, of blocks of one size.
    ///
    /// # Errors
    /// `ENOMEM` without memory for it.
    pub fn make_ring(&self, block_size: u32, blocks: u32, retire_after: u32) -> io::Result<()> {
        self.set(libc::SOL_PACKET, PACKET_VERSION, &TPACKET_V3)?;
        let (frame_size, frames, private_size, features) = (block_size, blocks, 0, 0);
        let request = RingRequest { block_size, blocks, frame_size, frames, retire_after, private_size, features };
        self.set(libc::SOL_PACKET, PACKET_RX_RING, &request)
    }

    /// Replaces the filter.
    ///
    /// # Errors
    /// `EINVAL` if the kernel does not accept the program, `ENOMEM` if it is longer than net.core.optmem_max allows.
    pub fn attach(&self, program: &[Instruction]) -> io::Result<()> {
        let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut().cast() };
        self.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
    }

    /// Lets the link receive all frames as long as the socket is open.
    pub fn be_promiscuous(&self, link: u32) -> io::Result<()> {
        let membership = Membership { link: link as i32, kind: PACKET_MR_PROMISC, address_length: 0, address: [0; 8] };
        self.set(libc::SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership)
    }

    /// Begins to receive: from a link, or from all of them if it is 0.
    pub fn start(&self, link: u32) -> io::Result<()> {
        self.bind(link, (libc::ETH_P_ALL as u16).to_be())
    }

    /// Returns what was counted since the last call, which the kernel forgets.
    pub fn take_counts(&self) -> io::Result<Counts> {
        let mut counts = Counts::default();
        let mut length = size_of::<Counts>() as libc::socklen_t;
        let (fd, to) = (self.as_raw_fd(), (&raw mut counts).cast());
        // SAFETY: the kernel writes at most `length` bytes into `counts`, which are plain numbers.
        let result = unsafe { libc::getsockopt(fd, libc::SOL_PACKET, PACKET_STATISTICS, to, &raw mut length) };
        if result == 0 { Ok(counts) } else { Err(io::Error::last_os_error()) }
    }

    /// Registers the socket with the runtime of the calling thread.
    pub fn watch(self: &Arc<Self>, interest: Interest) -> io::Result<AsyncFd<Arc<Self>>> {
        // SAFETY: the socket owns the descriptor, and always returns the same one.
        let registered = unsafe { AsyncFd::register_with_interest(Arc::clone(self), interest) };
        registered.map_err(|error| error.into_parts().1)
    }

    /// Returns the error that waits on the socket, which the kernel forgets.
    pub fn take_error(&self) -> io::Result<()> {
        let error = getsockopt(self, SocketError)?;
        if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
    }

    /// Whether the link of the socket exists: the kernel forgets its index with it.
    pub fn has_link(&self) -> bool {
        self.address().is_ok_and(|address| address.sll_ifindex > 0)
    }

    fn address(&self) -> io::Result<libc::sockaddr_ll> {
        // SAFETY: all zeros is a valid sockaddr_ll.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        let mut length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: the kernel writes at most `length` bytes into `address`.
        let result = unsafe { libc::getsockname(self.as_raw_fd(), (&raw mut address).cast(), &raw mut length) };
        if result == 0 { Ok(address) } else { Err(io::Error::last_os_error()) }
    }

    fn bind(&self, link: u32, protocol: u16) -> io::Result<()> {
        // SAFETY: all zeros is a valid sockaddr_ll.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = protocol;
        address.sll_ifindex = link as i32;
        let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: the kernel reads `length` bytes of `address`.
        let result = unsafe { libc::bind(self.as_raw_fd(), (&raw const address).cast(), length) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    fn set<T>(&self, level: libc::c_int, option: libc::c_int, value: &T) -> io::Result<()> {
        let length = size_of::<T>() as libc::socklen_t;
        // SAFETY: the kernel reads `length` bytes of `value`, and of a program what it points to, which the caller holds.
        let result = unsafe { libc::setsockopt(self.as_raw_fd(), level, option, (&raw const *value).cast(), length) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}
