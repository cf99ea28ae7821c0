//! The echo requests of one program, by a ping socket of the host (icmp(7)).

use std::{
    io,
    net::IpAddr,
    os::fd::AsRawFd,
    rc::Rc,
    time::{Duration, Instant},
};

use nix::sys::socket::{MsgFlags, recv};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::sleep_until,
};

use crate::{
    async_socket::register,
    flows::{Flow, Key, permission},
    packets::{echo::Echo, icmp_error::IcmpError},
    reports::Direction,
    shared::Shared,
};

const IDLE: Duration = Duration::from_secs(30);

/// How many requests wait until the flow is allowed.
const MOST_WAITING: usize = 4;

pub struct Echoes {
    pub flow: Flow,
    state: std::cell::RefCell<State>,
}

enum State {
    Waiting(Vec<Vec<u8>>),
    Open(Rc<AsyncFd<Socket>>),
}

impl Echoes {
    pub fn new(flow: Flow) -> Self {
        Self { flow, state: std::cell::RefCell::new(State::Waiting(Vec::new())) }
    }

    pub fn send(&self, shared: &Shared, echo: Echo<'_>) {
        let request = echo.request(self.flow.to.address.is_ipv4());
        match &mut *self.state.borrow_mut() {
            State::Waiting(waiting) if waiting.len() < MOST_WAITING => waiting.push(request),
            State::Waiting(_) => {}
            State::Open(socket) => self.send_by(shared, socket, &request),
        }
    }

    fn send_by(&self, shared: &Shared, socket: &AsyncFd<Socket>, request: &[u8]) {
        if let Ok(length) = socket.get_ref().send(request) {
            self.flow.count(shared, Direction::Sent, length);
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
                self.send_by(shared, &socket, request);
            }
        }
        self.answer(shared, key, &socket).await;
        Ok(())
    }

    async fn answer(&self, shared: &Shared, key: Key, socket: &AsyncFd<Socket>) {
        let mut room = vec![0; 65_535];
        while !self.flow.is_ended() {
            let end = self.flow.used.get() + IDLE;
            if Instant::now() >= end {
                return;
            }
            let received = tokio::select! {
                () = self.flow.wake.notified() => continue,
                () = sleep_until(end.into()) => continue,
                received = socket.async_io(Interest::READABLE, |socket| receive(socket, &mut room)) => received,
            };
            let is_v4 = key.to.is_ipv4();
            let Ok(length) = received else { continue };
            let Some(answer) = Echo::answer(room.get(..length).unwrap_or_default(), is_v4) else { continue };
            self.flow.is_mutual.set(true);
            self.flow.count(shared, Direction::Received, length);
            // The kernel has replaced the id of the program.
            let answer = Echo { id: key.from.port(), ..answer };
            if let Some(packet) = answer.answer_packet(key.to.ip(), key.from.ip()) {
                shared.send(&packet);
            }
        }
    }
}

fn receive(socket: &Socket, room: &mut [u8]) -> io::Result<usize> {
    Ok(recv(socket.as_raw_fd(), room, MsgFlags::MSG_DONTWAIT)?)
}

fn connect(to: IpAddr) -> io::Result<AsyncFd<Socket>> {
    let (domain, protocol) =
        if to.is_ipv4() { (Domain::IPV4, Protocol::ICMPV4) } else { (Domain::IPV6, Protocol::ICMPV6) };
    let socket = Socket::new(domain, Type::DGRAM, Some(protocol))?;
    socket.connect(&SockAddr::from(std::net::SocketAddr::new(to, 0)))?;
    register(socket)
}
