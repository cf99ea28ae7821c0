//! A TCP connection: one end in the stack, the other one on the host.

use std::{
    cell::{Cell, RefCell},
    io,
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};

use smoltcp::socket::tcp::{Socket, State};
use tokio::time::{Instant, sleep_until};

use crate::{
    flows::{
        Flow, Key,
        connecting::{Refused, connect, message_of},
        host_stream::HostStream,
        permission,
    },
    hello::{Heard, MOST, Talk},
    packets::traffic_class::TrafficClass,
    reports::Direction,
    rules::Reason,
    shared::Shared,
    stack::{Half, StackSocket},
};

/// How long a connection waits that gets no memory.
const WITHOUT_MEMORY: Duration = Duration::from_secs(1);

/// How many bytes are moved in one direction before other flows have their turn.
const TURN: usize = 512 * 1024;

pub struct Connection {
    pub flow: Flow,
    /// `None` until the host has accepted the connection.
    inside: RefCell<Option<StackSocket>>,
    /// That of the last packet from inside.
    class: Cell<TrafficClass>,
}

impl Connection {
    pub fn new(flow: Flow) -> Self {
        Self { flow, inside: RefCell::new(None), class: Cell::default() }
    }

    /// Takes a packet from inside. Its bytes are moved when the task of the connection has its turn.
    pub fn receive(&self, shared: &Shared, packet: &[u8], is_reset: bool) {
        self.class.set(TrafficClass::of(packet).priority());
        match &mut *self.inside.borrow_mut() {
            Some(socket) => {
                socket.receive(&shared.stack, &shared.carrier, packet);
                self.flow.wake.notify_one();
            }
            None if is_reset => self.flow.end(),
            // The first packet again: the host has not answered yet.
            None => {}
        }
    }

    /// How many bytes of the memory of all connections it uses.
    pub fn charged(&self) -> usize {
        self.inside.borrow().as_ref().map_or(0, |socket| socket.room.used())
    }

    /// Frees its memory if no byte waits in it, and returns whether that was some.
    pub fn release(&self) -> bool {
        let mut inside = self.inside.borrow_mut();
        let Some(socket) = inside.as_mut() else { return false };
        let has_memory = socket.room.used() > 0 && socket.is_empty();
        if has_memory {
            socket.room.release();
        }
        has_memory
    }

    /// Connects and moves the bytes, until the connection has ended.
    pub async fn run(self: Rc<Self>, shared: Rc<Shared>, key: Key, first: Vec<u8>) {
        let class = TrafficClass::of(&first).priority();
        self.class.set(class);
        match connect(&self.flow, key.to, class, &shared).await {
            Ok(host) => self.serve(&shared, host, key.to, first).await,
            Err(refused) => self.refuse(&shared, &first, refused),
        }
    }

    async fn serve(&self, shared: &Shared, host: HostStream, to: SocketAddr, first: Vec<u8>) {
        let Ok(room) = shared.budget.room() else { return shared.stack.reset(&shared.carrier, &first) };
        match StackSocket::accept(&shared.stack, &shared.carrier, room, to, first) {
            Ok(socket) => *self.inside.borrow_mut() = Some(socket),
            Err(_) => return,
        }
        self.flow.is_open.set(true);
        let _open = shared.counters.begin();
        let mut pump = Pump::new(self, shared, host);
        while !pump.turn() {
            pump.wait().await;
        }
        pump.finish();
    }

    fn refuse(&self, shared: &Shared, first: &[u8], refused: Refused) {
        match refused {
            Refused::ByRule(reason) => {
                permission::refuse(&self.flow, shared, reason);
                shared.stack.reset(&shared.carrier, first);
            }
            Refused::ByHost(error) => match message_of(&error) {
                Some(message) => shared.send_error(message, self.flow.from.ip(), first),
                None => shared.stack.reset(&shared.carrier, first),
            },
            Refused::Gone => shared.stack.reset(&shared.carrier, first),
        }
    }
}

/// Moves the bytes of a connection.
struct Pump<'a> {
    connection: &'a Connection,
    shared: &'a Shared,
    host: HostStream,
    class: TrafficClass,
    /// What the end inside says.
    talk: Talk,
    inside_has_ended: bool,
    host_has_ended: bool,
    reads: bool,
    writes: bool,
    has_more: bool,
    has_failed: bool,
    has_no_memory: bool,
    deadline: Option<Instant>,
}

impl<'a> Pump<'a> {
    fn new(connection: &'a Connection, shared: &'a Shared, host: HostStream) -> Self {
        let by_name = connection.flow.by_name.get();
        // What an address allows passes at once, if no name can deny it.
        let has_names = by_name || shared.rules.borrow().denies_names();
        let is_own = shared.settings.answers_flow(&connection.flow.to);
        let talk = if has_names && !is_own { Talk::new() } else { Talk::free() };
        Self {
            connection,
            shared,
            host,
            class: connection.class.get(),
            talk,
            inside_has_ended: false,
            host_has_ended: false,
            reads: true,
            writes: false,
            has_more: false,
            has_failed: false,
            has_no_memory: false,
            deadline: None,
        }
    }

    /// Moves what can be moved, and returns whether the connection has ended.
    fn turn(&mut self) -> bool {
        let (connection, shared) = (self.connection, self.shared);
        let mut inside = connection.inside.borrow_mut();
        let Some(socket) = inside.as_mut() else { return true };
        if self.has_failed || connection.flow.is_ended() || self.exchange(socket).is_err() {
            socket.socket().abort();
        }
        socket.send(&shared.stack, &shared.carrier);
        if matches!(socket.socket().state(), State::Closed | State::TimeWait) {
            return true;
        }
        if !connection.flow.is_mutual.get() && socket.socket().state() != State::SynReceived {
            connection.flow.is_mutual.set(true);
            socket.established();
        }
        if shared.budget.is_tight() && socket.is_empty() {
            socket.room.release();
        }
        let again = self.has_no_memory.then(|| Instant::now() + WITHOUT_MEMORY);
        let deadline = socket.deadline(&shared.stack).map(Instant::from_std);
        self.deadline = deadline.into_iter().chain(again).min();
        false
    }

    fn exchange(&mut self, socket: &mut StackSocket) -> io::Result<()> {
        (self.reads, self.writes, self.has_more, self.has_no_memory) = (false, false, false, false);
        self.move_to_host(socket)?;
        self.move_to_inside(socket)
    }

    fn move_to_host(&mut self, socket: &mut StackSocket) -> io::Result<()> {
        let class = self.connection.class.get();
        if class != self.class {
            self.host.mark(class);
            self.class = class;
        }
        let mut moved = 0;
        while socket.socket().can_recv() {
            if moved > TURN {
                self.has_more = true;
                break;
            }
            let permitted = self.permitted(socket)?;
            if permitted == 0 {
                break;
            }
            let host = &self.host;
            let result = socket.socket().recv(|bytes| match host.write(bytes.get(..permitted).unwrap_or(bytes)) {
                Ok(written) => (written.unwrap_or(0), Ok(written)),
                Err(error) => (0, Err(error)),
            });
            let Ok(written) = result else { break };
            let Some(length) = written? else {
                self.writes = true;
                break;
            };
            self.talk.pass(length);
            moved += length;
        }
        if moved > 0 {
            self.connection.flow.count(self.shared, Direction::Sent, moved);
        }
        let socket = socket.socket();
        let has_ended = matches!(socket.state(), State::CloseWait | State::LastAck | State::Closing | State::TimeWait);
        if has_ended && socket.recv_queue() == 0 && !self.inside_has_ended {
            self.inside_has_ended = true;
            self.host.end_writing()?;
        }
        Ok(())
    }

    fn move_to_inside(&mut self, socket: &mut StackSocket) -> io::Result<()> {
        let mut moved = 0;
        while !self.host_has_ended && socket.socket().can_send() {
            if moved > TURN {
                self.has_more = true;
                break;
            }
            let room = socket.socket().send_capacity() - socket.socket().send_queue();
            let granted = socket.room.allowance(Half::ToInside, room.min(64 * 1024));
            if granted == 0 {
                // With bytes in it, an acknowledgement wakes it.
                self.has_no_memory = socket.socket().send_queue() == 0;
                break;
            }
            let (host, talk) = (&self.host, &mut self.talk);
            let mut has_answered = false;
            let result = socket.socket().send(|bytes| {
                let most = bytes.len().min(granted);
                let room = bytes.get_mut(..most).unwrap_or_default();
                match host.read(room) {
                    Ok(read) => {
                        has_answered = talk.answered(room.get(..read.unwrap_or(0)).unwrap_or_default());
                        (read.unwrap_or(0), Ok(read))
                    }
                    Err(error) => (0, Err(error)),
                }
            });
            // Bytes from inside have waited for that.
            self.has_more |= has_answered;
            let Ok(read) = result else { break };
            match read? {
                None => {
                    self.reads = true;
                    break;
                }
                Some(0) => {
                    self.host_has_ended = true;
                    socket.socket().close();
                }
                Some(length) => {
                    socket.room.wrote(Half::ToInside, length);
                    moved += length;
                }
            }
        }
        if moved > 0 {
            self.connection.flow.count(self.shared, Direction::Received, moved);
        }
        Ok(())
    }

    /// How many bytes may pass to the host: those after them may name another host than the rules allow. 0 while that is not known.
    fn permitted(&mut self, socket: &mut StackSocket) -> io::Result<usize> {
        let flow = &self.connection.flow;
        while self.talk.permitted() == 0 {
            let refused = match listen(&mut self.talk, socket.socket()) {
                Heard::Incomplete => return Ok(0),
                Heard::Nothing => continue,
                Heard::Unreadable => Some(Reason::Unreadable),
                Heard::Name(name) => {
                    let judged = self.shared.rules.borrow().judge_name_inside(&name, flow.to, flow.by_name.get());
                    *flow.said.borrow_mut() = Some(name);
                    judged.err()
                }
            };
            if let Some(reason) = refused {
                permission::refuse(flow, self.shared, reason);
                return Err(io::ErrorKind::PermissionDenied.into());
            }
        }
        Ok(self.talk.permitted())
    }

    async fn wait(&mut self) {
        if self.has_more {
            return tokio::task::yield_now().await;
        }
        let deadline = async {
            match self.deadline {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.connection.flow.wake.notified() => {}
            // What is not read would be reset without being noticed.
            () = self.host.ready(self.reads, self.writes) => self.has_failed = !self.reads && !self.writes,
            () = deadline => {}
        }
    }

    /// Resets the end on the host, if the connection has not ended in order.
    fn finish(self) {
        if self.inside_has_ended && self.host_has_ended {
            self.host.finish();
        }
    }
}

/// Reads what has come from inside, and has not passed.
fn listen(talk: &mut Talk, inside: &mut Socket<'_>) -> Heard {
    let (queued, has_ended) = (inside.recv_queue(), inside.state() == State::CloseWait || !inside.may_recv());
    let Ok(bytes) = inside.peek(usize::MAX) else { return Heard::Incomplete };
    let is_all = bytes.len() == queued;
    if is_all || !talk.needs_all() {
        return talk.hear(bytes, is_all && has_ended);
    }
    // The other part is at the start of the ring.
    let mut bytes = vec![0; queued.min(MOST)];
    let length = inside.peek_slice(&mut bytes).unwrap_or(0);
    talk.hear(bytes.get(..length).unwrap_or_default(), length == queued && has_ended)
}
