//! The echo requests of one program, by a ping socket of the host (icmp(7)).

use std::{
    io,
    net::IpAddr,
    os::fd::AsRawFd,
    rc::Rc,
    time::{Duration, Instant},
};

use nix::sys::socket::{MsgFlags, recv};
use smoltcp::wire::IpProtocol;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::sleep_until,
};

use crate::{
    async_socket::register,
    flows::{Flow, Key, path_mtu, permission},
    packets::{echo::Echo, icmp_error::IcmpError, internet::packet},
    reports::Direction,
    shared::Shared,
};

const IDLE: Duration = Duration::from_secs(30);

/// How many requests wait until the flow is allowed.
const MOST_WAITING: usize = 4;

const LARGEST: usize = 65_535;

pub struct Echoes {
    pub flow: Flow,
    state: std::cell::RefCell<State>,
}

/// A request for the socket.
struct Request {
    message: Vec<u8>,
    may_be_cut: bool,
}

enum State {
    Waiting(Vec<Request>),
    Open(Rc<AsyncFd<Socket>>),
}

impl Echoes {
    pub fn new(flow: Flow) -> Self {
        Self { flow, state: std::cell::RefCell::new(State::Waiting(Vec::new())) }
    }

    /// Sends a request, whose packet may be cut on its way or not, or keeps it until the flow is allowed.
    pub fn send(&self, shared: &Shared, echo: Echo<'_>, may_be_cut: bool) {
        let request = Request { message: echo.request(self.flow.to.address.is_ipv4()), may_be_cut };
        match &mut *self.state.borrow_mut() {
            State::Waiting(waiting) if waiting.len() < MOST_WAITING => waiting.push(request),
            State::Waiting(_) => {}
            State::Open(socket) => self.send_by(shared, socket.get_ref(), &request),
        }
    }

    fn send_by(&self, shared: &Shared, socket: &Socket, Request { message, may_be_cut }: &Request) {
        match path_mtu::send(socket, message, *may_be_cut) {
            Ok(length) => self.flow.count(shared, Direction::Sent, length),
            Err(error) => self.report(shared, socket, &error, message),
        }
    }

    fn report(&self, shared: &Shared, socket: &Socket, error: &io::Error, request: &[u8]) {
        let (from, to) = (self.flow.from.ip(), self.flow.to.address);
        let protocol = if to.is_ipv4() { IpProtocol::Icmp } else { IpProtocol::Icmpv6 };
        let about = packet(from, to, protocol, request).unwrap_or_default();
        if let Some(message) = path_mtu::message_of(socket, error) {
            shared.send_error(message, from, &about);
        }
    }

    pub async fn run(self: Rc<Self>, shared: Rc<Shared>, key: Key, first: Vec<u8>) {
        if let Err(message) = self.serve(&shared, key).await {
            shared.send_error(message, key.from.ip(), &first);
        }
    }

    async fn serve(&self, shared: &Shared, key: Key) -> Result<(), IcmpError> {
        if let Err(reason) = permission::ask(&self.flow, shared).await {
            permission::refuse(&self.flow, shared, reason);
            return Err(IcmpError::Prohibited);
        }
        // An ordinary user may only if net.ipv4.ping_group_range allows it.
        let socket = Rc::new(connect(key.to.ip()).map_err(|_| IcmpError::Prohibited)?);
        self.flow.is_open.set(true);
        let _open = shared.counters.begin();
        if let State::Waiting(waiting) = self.state.replace(State::Open(Rc::clone(&socket))) {
            for request in &waiting {
                self.send_by(shared, socket.get_ref(), request);
            }
        }
        self.answer(shared, key, &socket).await;
        Ok(())
    }

    async fn answer(&self, shared: &Shared, key: Key, socket: &AsyncFd<Socket>) {
        while !self.flow.is_ended() {
            let end = self.flow.used.get() + IDLE;
            if Instant::now() >= end {
                return;
            }
            tokio::select! {
                () = self.flow.wake.notified() => {}
                () = sleep_until(end.into()) => {}
                _ = socket.async_io(Interest::READABLE, |socket| self.pass_on(shared, key, socket)) => {}
            }
        }
    }

    /// The buffer is that of all flows, so that a flow that waits needs none.
    fn pass_on(&self, shared: &Shared, key: Key, socket: &Socket) -> io::Result<()> {
        let mut room = shared.datagram.borrow_mut();
        room.resize(LARGEST, 0);
        let length = recv(socket.as_raw_fd(), &mut room, MsgFlags::MSG_DONTWAIT)?;
        let message = room.get(..length).unwrap_or_default();
        let Some(answer) = Echo::answer(message, key.to.is_ipv4()) else { return Ok(()) };
        self.flow.is_mutual.set(true);
        self.flow.count(shared, Direction::Received, length);
        // The kernel has replaced the id of the program.
        let answer = Echo { id: key.from.port(), ..answer };
        if let Some(packet) = answer.answer_packet(key.to.ip(), key.from.ip()) {
            shared.send(&packet);
        }
        Ok(())
    }
}

fn connect(to: IpAddr) -> io::Result<AsyncFd<Socket>> {
    let (domain, protocol) =
        if to.is_ipv4() { (Domain::IPV4, Protocol::ICMPV4) } else { (Domain::IPV6, Protocol::ICMPV6) };
    let socket = Socket::new(domain, Type::DGRAM, Some(protocol))?;
    socket.connect(&SockAddr::from(std::net::SocketAddr::new(to, 0)))?;
    path_mtu::never_cut(&socket)?;
    register(socket)
}
