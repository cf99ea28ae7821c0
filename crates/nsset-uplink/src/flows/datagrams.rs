//! The datagrams between one place inside and one outside.

use std::{
    cell::{Cell, RefCell},
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    rc::Rc,
    time::{Duration, Instant},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::sleep_until,
};

use crate::{
    async_socket::register,
    flows::{Flow, Key, marks, path_mtu, permission},
    packets::{icmp_error::IcmpError, traffic_class::TrafficClass},
    reports::Direction,
    shared::Shared,
};

/// How long a flow stays without datagrams. Questions about names have one answer.
const IDLE: Duration = Duration::from_secs(60);
const IDLE_NAMES: Duration = Duration::from_secs(15);
const NAMES: u16 = 53;

/// How many datagrams wait until the flow is allowed.
const MOST_WAITING: usize = 4;

const LARGEST: usize = 65_535;

/// One datagram from inside.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    pub payload: &'a [u8],
    /// Whether the packet may be cut on its way.
    pub may_be_cut: bool,
    pub class: TrafficClass,
}

pub struct Datagrams {
    pub flow: Flow,
    state: RefCell<State>,
    /// That of the last datagram which was sent.
    class: Cell<TrafficClass>,
}

/// A datagram that waits until its flow is allowed.
struct Waiting {
    payload: Vec<u8>,
    may_be_cut: bool,
    class: TrafficClass,
}

enum State {
    Waiting(Vec<Waiting>),
    Open(Rc<AsyncFd<Socket>>),
}

impl Datagrams {
    pub fn new(flow: Flow) -> Self {
        Self { flow, state: RefCell::new(State::Waiting(Vec::new())), class: Cell::default() }
    }

    /// Sends a datagram, or keeps it until the flow is allowed. What cannot be sent is lost, as on any network.
    pub fn send(&self, shared: &Shared, datagram: Datagram<'_>) {
        let Datagram { payload, may_be_cut, class } = datagram;
        match &mut *self.state.borrow_mut() {
            State::Waiting(waiting) if waiting.len() < MOST_WAITING => {
                waiting.push(Waiting { payload: payload.to_vec(), may_be_cut, class });
            }
            State::Waiting(_) => {}
            State::Open(socket) => self.send_by(shared, socket.get_ref(), datagram),
        }
    }

    fn send_by(&self, shared: &Shared, socket: &Socket, Datagram { payload, may_be_cut, class }: Datagram<'_>) {
        if class != self.class.replace(class) {
            // One that the host refuses is lost, and the datagram is not.
            let _ = marks::set(socket, class);
        }
        let Err(first) = path_mtu::send(socket, payload, may_be_cut) else {
            return self.flow.count(shared, Direction::Sent, payload.len());
        };
        self.report(shared, socket, &first);
        // The error may belong to an earlier datagram (udp(7)).
        match path_mtu::send(socket, payload, may_be_cut) {
            Ok(length) => self.flow.count(shared, Direction::Sent, length),
            Err(error) if error.kind() == first.kind() => {}
            Err(error) => self.report(shared, socket, &error),
        }
    }

    pub async fn run(self: Rc<Self>, shared: Rc<Shared>, key: Key) {
        if let Err(message) = self.serve(&shared, key).await {
            shared.send_error(message, key.from.ip(), &about(key.from, key.to));
        }
    }

    async fn serve(&self, shared: &Shared, key: Key) -> Result<(), IcmpError> {
        if let Err(reason) = permission::ask(&self.flow, shared).await {
            permission::refuse(&self.flow, shared, reason);
            return Err(IcmpError::Prohibited);
        }
        let socket = Rc::new(connect(key.to).map_err(|_| IcmpError::Network)?);
        self.flow.is_open.set(true);
        let _open = shared.counters.begin();
        if let State::Waiting(waiting) = self.state.replace(State::Open(Rc::clone(&socket))) {
            for Waiting { payload, may_be_cut, class } in waiting {
                self.send_by(shared, socket.get_ref(), Datagram { payload: &payload, may_be_cut, class });
            }
        }
        self.answer(shared, key, &socket).await;
        Ok(())
    }

    /// Passes on what comes back, until the flow is idle.
    async fn answer(&self, shared: &Shared, key: Key, socket: &AsyncFd<Socket>) {
        let idle = if key.to.port() == NAMES { IDLE_NAMES } else { IDLE };
        while !self.flow.is_ended() {
            let end = self.flow.used.get() + idle;
            if Instant::now() >= end {
                return;
            }
            // The kernel reports a port without a listener as an error alone.
            let interest = Interest::READABLE | Interest::ERROR;
            tokio::select! {
                () = self.flow.wake.notified() => {}
                () = sleep_until(end.into()) => {}
                received = socket.async_io(interest, |socket| self.pass_on(shared, key, socket)) => {
                    if let Err(error) = received {
                        self.report(shared, socket.get_ref(), &error);
                    }
                }
            }
        }
    }

    /// The buffer is that of all flows, so that a flow that waits needs none.
    fn pass_on(&self, shared: &Shared, key: Key, socket: &Socket) -> io::Result<()> {
        let mut room = shared.datagram.borrow_mut();
        room.resize(LARGEST, 0);
        let (length, class) = marks::receive(socket, &mut room)?;
        self.flow.is_mutual.set(true);
        self.flow.count(shared, Direction::Received, length);
        shared.send_datagram(key.to, key.from, room.get(..length).unwrap_or_default(), class);
        Ok(())
    }

    fn report(&self, shared: &Shared, socket: &Socket, error: &io::Error) {
        if let Some(message) = path_mtu::message_of(socket, error) {
            shared.send_error(message, self.flow.from.ip(), &about(self.flow.from, self.flow.to_place()));
        }
    }
}

fn connect(to: SocketAddr) -> io::Result<AsyncFd<Socket>> {
    let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
    let any: SocketAddr =
        if to.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    socket.bind(&any.into())?;
    socket.connect(&to.into())?;
    path_mtu::never_cut(&socket)?;
    marks::request(&socket)?;
    register(socket)
}

/// The beginning of a datagram, for a message about it: its sender finds the socket by the two ends.
fn about(from: SocketAddr, to: SocketAddr) -> Vec<u8> {
    let mut header = Vec::with_capacity(8);
    header.extend_from_slice(&from.port().to_be_bytes());
    header.extend_from_slice(&to.port().to_be_bytes());
    header.extend_from_slice(&[0, 8, 0, 0]);
    let protocol = smoltcp::wire::IpProtocol::Udp;
    crate::packets::internet::packet(from.ip(), to.ip(), protocol, &header).unwrap_or_default()
}
