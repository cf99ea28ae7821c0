//! The TCP stack: smoltcp. Each connection has a set of sockets of its own, so that nothing is done for the others.

use std::{
    cell::{Cell, RefCell},
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Instant,
};

use smoltcp::{
    iface::{Config, Interface, PollResult, SocketHandle, SocketSet},
    socket::tcp,
    time::{Duration, Instant as StackInstant},
    wire::{HardwareAddress, IpAddress, IpCidr, IpListenEndpoint, Ipv4Packet, Ipv6Packet, TcpOption, TcpPacket},
};

use crate::{
    carrier::Carrier,
    stack::{
        port::Port,
        room::{Half, Lent},
    },
};

/// What the stack writes at once: as much as one packet may have. The kernel cuts it.
const LARGEST_SEGMENT: u16 = 65_535 - 60;
/// The segment of an end that names none (RFC 9293).
const DEFAULT_SEGMENT: u16 = 536;

/// How often an idle end is asked whether it is still there, and how often one that takes no bytes: its message that it takes bytes
/// again may be lost.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
const PROBE: Duration = Duration::from_secs(1);
const GONE: Duration = Duration::from_secs(300);
/// How long an end that has begun a connection has for its answer.
const HALF_OPEN: Duration = Duration::from_secs(30);

/// The stack of all connections.
pub struct TcpStack {
    interface: RefCell<Interface>,
    buffer: RefCell<Vec<u8>>,
    start: Instant,
}

impl TcpStack {
    pub fn new(carrier: &Carrier) -> Self {
        let mut buffer = Vec::new();
        let ack = Cell::new(None);
        let mut port = Port::new(carrier, &mut buffer, None, u16::MAX, &ack);
        let mut interface = Interface::new(Config::new(HardwareAddress::Ip), &mut port, StackInstant::ZERO);
        // Every address is the stack's own: the default route leads to an address that it has.
        let own = Ipv4Addr::new(192, 0, 0, 1);
        interface.update_ip_addrs(|addresses| {
            let _ = addresses.push(IpCidr::new(IpAddress::Ipv4(own), 32));
            let _ = addresses.push(IpCidr::new(OWN_V6, 128));
        });
        let _ = interface.routes_mut().add_default_ipv4_route(own);
        if let IpAddress::Ipv6(own) = OWN_V6 {
            let _ = interface.routes_mut().add_default_ipv6_route(own);
        }
        interface.set_any_ip(true);
        Self { interface: RefCell::new(interface), buffer: RefCell::new(buffer), start: Instant::now() }
    }

    /// Answers a packet that belongs to no connection: with a reset, if it is not one.
    pub fn reset(&self, carrier: &Carrier, packet: &[u8]) {
        let ack = Cell::new(None);
        let mut buffer = self.buffer.borrow_mut();
        let mut port = Port::new(carrier, &mut buffer, Some(packet), u16::MAX, &ack);
        let mut none = SocketSet::new(Vec::new());
        self.interface.borrow_mut().poll_ingress_single(self.now(), &mut port, &mut none);
    }

    fn now(&self) -> StackInstant {
        StackInstant::from_micros(self.start.elapsed().as_micros() as i64)
    }
}

const OWN_V6: IpAddress = IpAddress::v6(0x100, 0, 0, 0, 0, 0, 0, 1);

/// The end of a connection that is in the stack.
pub struct StackSocket {
    // Dropped before the room.
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    pub room: Lent,
    /// The largest segment that the other end takes.
    segment: u16,
    /// The last acknowledgement that was sent, and the end of the last bytes that came.
    acknowledged: Cell<Option<u32>>,
    end: Option<u32>,
    is_probing: bool,
}

impl StackSocket {
    /// Accepts the connection that a packet begins.
    pub fn accept(
        stack: &TcpStack,
        carrier: &Carrier,
        room: Lent,
        to: SocketAddr,
        mut first: Vec<u8>,
    ) -> io::Result<Self> {
        let segment = raise_segment(&mut first).unwrap_or(DEFAULT_SEGMENT);
        // SAFETY: the halves are in `sockets`, which is dropped before the room, and this is the only call.
        let (from_inside, to_inside) = unsafe { room.halves() };
        let mut socket = tcp::Socket::new(tcp::SocketBuffer::new(from_inside), tcp::SocketBuffer::new(to_inside));
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(None);
        socket.set_keep_alive(Some(KEEP_ALIVE));
        socket.set_timeout(Some(HALF_OPEN));
        let endpoint = IpListenEndpoint { addr: Some(to.ip().into()), port: to.port() };
        socket.listen(endpoint).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let mut sockets = SocketSet::new(Vec::with_capacity(1));
        let handle = sockets.add(socket);
        let (acknowledged, end) = (Cell::new(None), None);
        let mut accepted = Self { sockets, handle, room, segment, acknowledged, end, is_probing: false };
        accepted.process(stack, carrier, &first);
        accepted.send(stack, carrier);
        Ok(accepted)
    }

    pub fn socket(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    /// Notes that the other end has answered.
    pub fn established(&mut self) {
        self.socket().set_timeout(Some(GONE));
    }

    /// Passes a packet from inside to the stack, if there is memory for its bytes: else it is as if it were lost.
    pub fn receive(&mut self, stack: &TcpStack, carrier: &Carrier, packet: &[u8]) {
        let (bytes, end) = bytes_of(packet);
        if bytes > 0 {
            if self.room.allowance(Half::FromInside, bytes) < bytes {
                return;
            }
            self.room.wrote(Half::FromInside, bytes);
        }
        if let Some(end) = end.filter(|_| bytes > 0)
            && self.end.is_none_or(|last| (end.wrapping_sub(last) as i32) > 0)
        {
            self.end = Some(end);
        }
        self.process(stack, carrier, packet);
    }

    fn process(&mut self, stack: &TcpStack, carrier: &Carrier, packet: &[u8]) {
        let mut buffer = stack.buffer.borrow_mut();
        let mut port = Port::new(carrier, &mut buffer, Some(packet), self.segment, &self.acknowledged);
        stack.interface.borrow_mut().poll_ingress_single(stack.now(), &mut port, &mut self.sockets);
    }

    /// Sends what the stack has to send.
    pub fn send(&mut self, stack: &TcpStack, carrier: &Carrier) {
        let is_probing = self.socket().send_queue() > 0;
        if is_probing != self.is_probing {
            self.is_probing = is_probing;
            self.socket().set_keep_alive(Some(if is_probing { PROBE } else { KEEP_ALIVE }));
        }
        let mut buffer = stack.buffer.borrow_mut();
        let mut port = Port::new(carrier, &mut buffer, None, self.segment, &self.acknowledged);
        let mut interface = stack.interface.borrow_mut();
        let now = stack.now();
        while interface.poll_egress(now, &mut port, &mut self.sockets) == PollResult::SocketStateChanged {}
    }

    /// When the stack has to do something by itself.
    pub fn deadline(&mut self, stack: &TcpStack) -> Option<Instant> {
        let at = stack.interface.borrow_mut().poll_at(stack.now(), &self.sockets)?;
        let micros = u64::try_from(at.total_micros()).unwrap_or(0);
        Some((stack.start + std::time::Duration::from_micros(micros)).max(Instant::now()))
    }

    /// Whether no byte is in the rings: none waits, and none came out of order.
    pub fn is_empty(&mut self) -> bool {
        let (acknowledged, end) = (self.acknowledged.get(), self.end);
        let is_in_order =
            end.is_none() || acknowledged.zip(end).is_some_and(|(ack, end)| ack.wrapping_sub(end) as i32 >= 0);
        let socket = self.socket();
        is_in_order && socket.send_queue() == 0 && socket.recv_queue() == 0
    }
}

/// Makes the stack write large packets, and returns the segment that the other end takes.
fn raise_segment(first: &mut [u8]) -> Option<u16> {
    let header = match first.first()? >> 4 {
        4 => usize::from(Ipv4Packet::new_checked(&*first).ok()?.header_len()),
        _ => Ipv6Packet::new_checked(&*first).ok()?.header_len(),
    };
    let mut tcp = TcpPacket::new_checked(first.get_mut(header..)?).ok()?;
    let mut options = tcp.options_mut();
    while !options.is_empty() {
        let (rest, option) = TcpOption::parse(options).ok()?;
        let length = options.len() - rest.len();
        if let TcpOption::MaxSegmentSize(segment) = option {
            options.get_mut(2..4)?.copy_from_slice(&LARGEST_SEGMENT.to_be_bytes());
            return Some(segment.max(64));
        }
        if option == TcpOption::EndOfList {
            return None;
        }
        options = options.get_mut(length..)?;
    }
    None
}

/// How many bytes a packet has, and the number after the last one.
fn bytes_of(packet: &[u8]) -> (usize, Option<u32>) {
    let payload = match packet.first().map(|first| first >> 4) {
        Some(4) => Ipv4Packet::new_checked(packet).ok().map(|ip| ip.payload()),
        _ => Ipv6Packet::new_checked(packet).ok().map(|ip| ip.payload()),
    };
    let Some(tcp) = payload.and_then(|payload| TcpPacket::new_checked(payload).ok()) else { return (0, None) };
    let length = tcp.payload().len();
    // A number of TCP has 32 bits, which smoltcp keeps in a signed one.
    let end = tcp.seq_number().0 as u32;
    (length, Some(end.wrapping_add(length as u32)))
}
