//! Reads and writes the frames of a link, by a packet socket: packet(7).

use std::{
    cell::{Cell, RefCell},
    io::{self, IoSlice},
    mem::{self, size_of},
    os::fd::{AsRawFd, OwnedFd},
};

use nix::sys::socket::{MsgFlags, recv, sendmsg};
use socket2::Socket;
use tokio::io::{Interest, unix::AsyncFd};

use crate::{
    async_socket::register,
    packets::{
        begun::{Taken, filter},
        neighbours::OWN_MAC,
        virtio::{HEADER, Offload},
    },
    socket_option::set,
};

pub const ETHERNET: usize = 14;
pub const ARP: u16 = 0x0806;
pub const IPV4: u16 = 0x0800;
pub const IPV6: u16 = 0x86dd;

/// Room for the largest packet with its headers.
pub const LARGEST_FRAME: usize = HEADER + ETHERNET + 65_535;

/// How much the kernel queues, where it allows it (`rmem_max` in socket(7)).
const QUEUE: libc::c_int = 4 << 20;

/// Where the packets of an uplink come from.
pub enum Link {
    /// An interface, by two packet sockets of its network that are not bound: socket(`AF_PACKET`, `SOCK_RAW`, 0).
    Interface { sockets: [OwnedFd; 2], index: u32 },
    /// A socket with a frame in each message, after its header of virtio.
    Frames(OwnedFd),
}

/// Exchanges frames with the inside.
pub struct Carrier {
    socket: AsyncFd<Socket>,
    /// Has the packets of connections that have begun, so that a flood of others does not drive them out of the kernel's queue.
    begun: Option<AsyncFd<Socket>>,
    /// The hardware address inside, from the last frame.
    peer: Cell<[u8; 6]>,
    header: RefCell<[u8; HEADER + ETHERNET]>,
}

impl Carrier {
    /// # Errors
    /// The error of setsockopt(2), bind(2) or epoll_ctl(2).
    pub fn open(link: Link) -> io::Result<Self> {
        let ([others, begun], index) = match link {
            Link::Frames(socket) => return Self::over(socket.into(), None),
            Link::Interface { sockets, index } => (sockets.map(Socket::from), index),
        };
        prepare(&begun, index, Taken::Begun)?;
        prepare(&others, index, Taken::Others)?;
        Self::over(others, Some(begun))
    }

    fn over(socket: Socket, begun: Option<Socket>) -> io::Result<Self> {
        Ok(Self {
            socket: register(socket)?,
            begun: begun.map(register).transpose()?,
            peer: Cell::new([0xff; 6]),
            header: RefCell::new([0; HEADER + ETHERNET]),
        })
    }

    /// Waits until there is a frame.
    pub async fn readable(&self) -> io::Result<()> {
        let Some(begun) = &self.begun else { return readable(&self.socket).await };
        tokio::select! {
            biased;
            ready = readable(begun) => ready,
            ready = readable(&self.socket) => ready,
        }
    }

    /// Receives a frame with its header of virtio. `None` if there is none yet.
    ///
    /// # Errors
    /// The error of recv(2), also if the link no longer exists.
    pub fn receive(&self, taken: Taken, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let socket = match (taken, &self.begun) {
            (Taken::Others, _) => &self.socket,
            (Taken::Begun, Some(begun)) => begun,
            (Taken::Begun, None) => return Ok(None),
        };
        let received =
            socket.try_io(Interest::READABLE, |socket| Ok(recv(socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)?));
        match received {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => Ok(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            // The link goes down, or a frame cannot be described by the header of virtio: the next one may be.
            Err(_) if self.has_link() => Ok(Some(0)),
            Err(error) => Err(error),
        }
    }

    pub fn learn(&self, peer: [u8; 6]) {
        self.peer.set(peer);
    }

    /// Sends a packet. If the kernel does not take it, it is lost, as on any network.
    pub fn send(&self, kind: u16, offload: Offload, packet: &[u8]) {
        let mut header = self.header.borrow_mut();
        let (virtio, ethernet) = header.split_at_mut(HEADER);
        virtio.copy_from_slice(&offload.to_bytes());
        let (to, rest) = ethernet.split_at_mut(6);
        let (from, of_kind) = rest.split_at_mut(6);
        to.copy_from_slice(&self.peer.get());
        from.copy_from_slice(&OWN_MAC);
        of_kind.copy_from_slice(&kind.to_be_bytes());
        let slices = [IoSlice::new(&*header), IoSlice::new(packet)];
        let fd = self.socket.get_ref().as_raw_fd();
        let _ = sendmsg::<()>(fd, &slices, &[], MsgFlags::MSG_DONTWAIT, None);
    }

    /// Whether the link of the socket still exists: the kernel forgets its index with it.
    fn has_link(&self) -> bool {
        // SAFETY: all zeros is a valid sockaddr_ll.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        let mut length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: the kernel writes at most `length` bytes into `address`.
        let result =
            unsafe { libc::getsockname(self.socket.get_ref().as_raw_fd(), (&raw mut address).cast(), &raw mut length) };
        result == 0 && i32::from(address.sll_family) == libc::AF_PACKET && address.sll_ifindex > 0
    }
}

async fn readable(socket: &AsyncFd<Socket>) -> io::Result<()> {
    socket.readable().await.map(|mut ready| ready.retain_ready())
}

fn prepare(socket: &Socket, index: u32, taken: Taken) -> io::Result<()> {
    set(socket, libc::SOL_PACKET, PACKET_VNET_HDR, 1)?;
    set(socket, libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)?;
    if set(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, QUEUE).is_err() {
        set(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, QUEUE)?;
    }
    socket.attach_filter(&filter(taken))?;
    bind(socket, index)
}

/// linux/if_packet.h
const PACKET_VNET_HDR: libc::c_int = 15;
const PACKET_IGNORE_OUTGOING: libc::c_int = 23;

fn bind(socket: &Socket, link: u32) -> io::Result<()> {
    // SAFETY: all zeros is a valid sockaddr_ll.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = link as i32;
    let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the kernel reads `length` bytes of `address`.
    let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
