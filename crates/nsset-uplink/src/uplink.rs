//! An uplink: what comes from inside goes to its flow.

use std::{
    cell::Cell,
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{
        Semaphore,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot,
    },
    task::{Id, JoinSet},
    time::timeout,
};

use crate::{
    backlog::Backlog,
    carrier::{ARP, Carrier, ETHERNET, IPV4, IPV6, LARGEST_FRAME, Link},
    flows::{Connection, Datagram, Datagrams, Echoes, Flow, FlowReport, Key},
    names::{Memory, Question},
    names_service,
    own_address::OwnAddresses,
    packets::{
        arriving::{self, Arriving},
        begun::Taken,
        echo::Echo,
        fragments::{FRAGMENT, Fragments},
        icmp_error::IcmpError,
        neighbours::{advertisement, arp_answer},
        traffic_class::TrafficClass,
        virtio::{HEADER, Offload},
    },
    rate::Rate,
    reports::{Counters, Questions, Refusal, Refusals, What},
    rules::{Closed, Destination, Protocol, Reason, Rule, RuleSet},
    shared::{Settings, Shared},
    stack::{Budget, TcpStack},
    table::{Entry, Table},
};

/// How many frames are read before flows have their turn.
const BATCH: usize = 32;

/// How many flows and questions are begun in a turn, at least and at most: each needs a socket of the host. If the turns of others have taken
/// long, it is one for each of these times, which leaves them four fifths of the thread.
const LEAST_BEGUN: usize = 4;
const MOST_BEGUN: usize = 64;
const TIME_OF_OTHERS: Duration = Duration::from_micros(100);

/// How many turns of all flows, also those of other uplinks, come after a turn that has begun some, or has read a whole batch of packets that
/// belong to no connection. Without other flows they take no time. With thousands of them, the time is the limit.
const PAUSE: usize = 4;
const LONGEST_PAUSE: Duration = Duration::from_millis(1);

/// How long flows have for their end, if the uplink ends.
const LAST_TURN: Duration = Duration::from_millis(100);

/// How many questions about names in datagrams are answered at a time. Further ones are lost, as on any network. A quarter as many in
/// streams are; further ones wait.
const MOST_QUESTIONS: usize = 512;

/// How long memory is not freed after it was.
const BETWEEN_FREEING: Duration = Duration::from_millis(100);

/// How many messages that a packet has not arrived are sent in a second.
const MOST_ERRORS: u32 = 1000;

/// How many flows may be begun, if others have had so much time.
fn begun_after(elapsed: Duration) -> usize {
    let share = elapsed.as_micros() / TIME_OF_OTHERS.as_micros();
    usize::try_from(share).unwrap_or(MOST_BEGUN).clamp(LEAST_BEGUN, MOST_BEGUN)
}

/// Waits until the engine has its turn.
async fn turn(carrier: &Carrier, is_due: bool) -> io::Result<()> {
    if is_due { Ok(()) } else { carrier.readable().await }
}

/// Reads a packet of a family.
type Read = fn(&[u8]) -> Option<Arriving<'_>>;

/// What the owner of an uplink asks of it.
pub enum Command {
    Allow(Vec<Rule>),
    Deny(Vec<Rule>),
    Flows(oneshot::Sender<Vec<FlowReport>>),
}

/// The owner's end of an uplink. The uplink ends when this is dropped.
#[derive(Clone)]
pub struct Uplink {
    pub commands: UnboundedSender<Command>,
    pub counters: Arc<Counters>,
    pub refusals: Arc<Refusals>,
    pub questions: Arc<Questions>,
}

/// An uplink that runs on the calling thread, which has to be in the network of the host.
pub struct Engine {
    shared: Rc<Shared>,
    commands: UnboundedReceiver<Command>,
    table: Table,
    tasks: JoinSet<()>,
    /// The flow of each task.
    keys: HashMap<Id, Key>,
    questions: JoinSet<()>,
    fragments: Fragments,
    /// First packets of flows that have not been begun yet.
    backlog: Backlog,
    /// How many flows and questions may be begun in this turn.
    left: usize,
    /// How many turns come before others may be, and when they could be for the last time.
    pause: usize,
    turn: Instant,
    /// When memory was freed for the last time.
    freed: Instant,
}

/// Creates an uplink over a link.
///
/// # Errors
/// The error of the system call that prepares the socket.
pub fn uplink(link: Link, settings: Settings, rules: RuleSet) -> io::Result<(Uplink, Engine)> {
    let carrier = Carrier::open(link)?;
    let (sender, commands) = unbounded_channel();
    let handle =
        Uplink { commands: sender, counters: Arc::default(), refusals: Arc::default(), questions: Arc::default() };
    let shared = Rc::new(Shared {
        stack: TcpStack::new(&carrier),
        carrier,
        settings,
        rules: rules.into(),
        memory: Memory::default().into(),
        budget: Rc::new(Budget::default()),
        streams: Semaphore::new(MOST_QUESTIONS / 4),
        datagram: Vec::new().into(),
        cut: Cell::default(),
        own: OwnAddresses::default(),
        errors: Rate::new(MOST_ERRORS, Duration::from_secs(1)),
        counters: Arc::clone(&handle.counters),
        refusals: Arc::clone(&handle.refusals),
        questions: Arc::clone(&handle.questions),
    });
    let (table, tasks, questions) = (Table::new(), JoinSet::new(), JoinSet::new());
    Ok((
        handle,
        Engine {
            shared,
            commands,
            table,
            tasks,
            keys: HashMap::new(),
            questions,
            fragments: Fragments::default(),
            backlog: Backlog::default(),
            left: 0,
            pause: 0,
            turn: Instant::now(),
            freed: Instant::now(),
        },
    ))
}

/// Readers learn of the end, also if the future of `run` is dropped.
impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.refusals.end();
        self.shared.questions.end();
    }
}

impl Engine {
    /// Runs until the owner's end is dropped, or the link is gone. Then all flows are reset.
    pub async fn run(mut self) {
        let mut room = vec![0; LARGEST_FRAME];
        loop {
            let is_due = self.pause > 0 || !self.backlog.is_empty();
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => break,
                },
                Some(ended) = self.tasks.join_next_with_id() => {
                    self.forget(ended.map_or_else(|error| error.id(), |(task, ())| task));
                }
                Some(_) = self.questions.join_next() => {}
                () = self.shared.budget.is_pressed() => self.free_memory(),
                ready = turn(&self.shared.carrier, is_due) => {
                    if ready.is_err() || self.read(&mut room).is_err() {
                        break;
                    }
                    // The flows have their turn.
                    tokio::task::yield_now().await;
                }
            }
        }
        self.end().await;
    }

    async fn end(&mut self) {
        for flow in self.table.flows() {
            flow.end();
        }
        // Each flow resets its end inside by itself, if it has its turn.
        let _ = timeout(LAST_TURN, async { while self.tasks.join_next().await.is_some() {} }).await;
        self.tasks.shutdown().await;
        self.questions.shutdown().await;
    }

    /// Forgets the flow of a task that has ended.
    fn forget(&mut self, task: Id) {
        if let Some(key) = self.keys.remove(&task) {
            self.table.remove(&key);
        }
    }

    fn add(&mut self, key: Key, entry: Entry, running: impl Future<Output = ()> + 'static) {
        for flow in self.table.surplus() {
            self.shared.refuse(Refusal { what: What::Flow(flow.to), name: None, reason: Reason::Limit });
            flow.end();
        }
        let task = self.tasks.spawn_local(running);
        self.keys.insert(task.id(), key);
        self.table.add(key, entry);
    }

    /// Frees the memory of connections that are silent for those that need it, not too often: it looks at all flows.
    fn free_memory(&mut self) {
        if self.freed.elapsed() < BETWEEN_FREEING {
            return;
        }
        self.freed = Instant::now();
        let was_exhausted = self.shared.budget.was_exhausted();
        if self.table.release() || !was_exhausted {
            return;
        }
        for flow in self.table.stalled() {
            self.shared.refuse(Refusal { what: What::Flow(flow.to), name: None, reason: Reason::Limit });
            flow.end();
        }
    }

    fn obey(&mut self, command: Command) {
        let shared = &self.shared;
        match command {
            Command::Allow(rules) => shared.rules.borrow_mut().allow.extend(rules),
            Command::Deny(rules) => {
                shared.rules.borrow_mut().deny.extend(rules);
                for flow in self.table.flows() {
                    self.end_if_denied(flow);
                }
            }
            Command::Flows(answer) => {
                let flows = self.table.flows().map(Flow::report).collect();
                let _ = answer.send(flows);
            }
        }
    }

    fn end_if_denied(&self, flow: &Flow) {
        let shared = &self.shared;
        if !flow.is_judged.get() || flow.is_allowed_by(&shared.rules.borrow()) {
            return;
        }
        let name = flow.names.borrow().first().cloned();
        shared.refuse(Refusal { what: What::Flow(flow.to), name, reason: Reason::Denied });
        flow.end();
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<()> {
        self.read_some(Taken::Begun, room)?;
        let elapsed = self.turn.elapsed();
        if self.pause > 0 && elapsed < LONGEST_PAUSE {
            self.pause -= 1;
            return Ok(());
        }
        self.turn = Instant::now();
        let most = begun_after(elapsed);
        self.left = most;
        while self.left > 0
            && let Some((packet, offload)) = self.backlog.next()
        {
            let read = if packet.first().is_some_and(|first| first >> 4 == 4) { arriving::v4 } else { arriving::v6 };
            self.take_packet(read, &packet, offload);
        }
        let is_empty = self.read_some(Taken::Others, room)?;
        self.pause = if self.left < most || !is_empty { PAUSE } else { 0 };
        Ok(())
    }

    /// Reads a batch, and returns whether there are no more frames.
    fn read_some(&mut self, taken: Taken, room: &mut [u8]) -> io::Result<bool> {
        for _ in 0..BATCH {
            let Some(length) = self.shared.carrier.receive(taken, room)? else { return Ok(true) };
            self.take(room.get(..length).unwrap_or_default());
        }
        Ok(false)
    }

    /// Whether a flow or a question may be begun in this turn. Else its packet waits for the next one.
    fn may_begin(&mut self, packet: &[u8], offload: Offload) -> bool {
        if self.left == 0 {
            self.backlog.add(packet, offload);
            return false;
        }
        self.left -= 1;
        true
    }

    /// Takes a frame with its header of virtio. A malformed one is ignored.
    fn take(&mut self, frame: &[u8]) -> Option<()> {
        let (virtio, frame) = frame.split_first_chunk::<HEADER>()?;
        let (ethernet, packet) = frame.split_first_chunk::<ETHERNET>()?;
        let (addresses, kind) = ethernet.split_at(12);
        self.shared.carrier.learn(*addresses.last_chunk()?);
        match u16::from_be_bytes(*kind.first_chunk()?) {
            ARP => {
                let answer = arp_answer(packet, self.shared.settings.gateway_v4)?;
                self.shared.carrier.send(ARP, Offload::default(), &answer);
            }
            IPV4 => self.take_packet(arriving::v4, packet, Offload::read(*virtio)?)?,
            IPV6 => self.take_packet(arriving::v6, packet, Offload::read(*virtio)?)?,
            _ => {}
        }
        Some(())
    }

    fn take_packet(&mut self, read: Read, packet: &[u8], offload: Offload) -> Option<()> {
        let arriving = read(packet)?;
        if !matches!(arriving, Arriving::Fragment { .. }) {
            self.arrive(arriving, packet, offload, arriving::may_be_cut(packet));
            return Some(());
        }
        let whole = self.fragments.take(packet)?;
        self.arrive(read(&whole)?, &whole, Offload::default(), true);
        Some(())
    }

    fn arrive(&mut self, arriving: Arriving<'_>, packet: &[u8], offload: Offload, may_be_cut: bool) {
        if let Some(from) = self.expired(&arriving, packet) {
            return self.shared.send_error(IcmpError::TimeExceeded, from, packet);
        }
        match arriving {
            Arriving::Tcp { from, to, is_first, is_reset, packet } => self.tcp(from, to, packet, is_first, is_reset),
            Arriving::Udp { from, to, payload } => {
                let length = offload.datagram().unwrap_or(usize::MAX);
                let class = TrafficClass::of(packet);
                // One without bytes is one, too.
                let rest = payload.chunks(length).skip(1);
                for payload in [payload.get(..length).unwrap_or(payload)].into_iter().chain(rest) {
                    if self.udp(from, to, Datagram { payload, may_be_cut, class }, packet, offload).is_none() {
                        break;
                    }
                }
            }
            Arriving::Echo { from, to, echo } => self.echo(from, to, echo, packet, may_be_cut),
            Arriving::Control { from, message } => {
                if let Some(answer) = advertisement(message, from, self.shared.settings.gateway_v6) {
                    self.shared.send(&answer);
                }
            }
            // One in a packet that was put together.
            Arriving::Fragment { to } => self.refuse_protocol(FRAGMENT, to),
            Arriving::Other { protocol, to } => self.refuse_protocol(protocol, to),
        }
    }

    /// Where a packet comes from that ends here, because it may not enter another network.
    fn expired(&self, arriving: &Arriving<'_>, packet: &[u8]) -> Option<IpAddr> {
        let (from, to) = arriving.ends()?;
        let goes_on = arriving::hops(packet) > 1 || self.shared.settings.is_gateway(to) || to.is_multicast();
        (!goes_on).then_some(from)
    }

    fn refuse_protocol(&self, protocol: u8, to: IpAddr) {
        if crate::rules::closed(to).is_none_or(|(_, why)| why != Closed::Multicast) {
            let what = What::Protocol(protocol, to);
            self.shared.refuse(Refusal { what, name: None, reason: Reason::NotAllowed });
        }
    }

    fn tcp(&mut self, from: SocketAddr, to: SocketAddr, packet: &[u8], is_first: bool, is_reset: bool) {
        let key = Key { protocol: Protocol::Tcp, from, to };
        let shared = &self.shared;
        if let Some(Entry::Tcp(connection)) = self.table.get(&key) {
            return connection.receive(shared, packet, is_reset);
        }
        if !is_first {
            return shared.stack.reset(&shared.carrier, packet);
        }
        if !self.may_begin(packet, Offload::default()) {
            return;
        }
        let Some(flow) = self.begin(key) else {
            return self.shared.stack.reset(&self.shared.carrier, packet);
        };
        let connection = Rc::new(Connection::new(flow));
        let running = Rc::clone(&connection).run(Rc::clone(&self.shared), key, packet.to_vec());
        self.add(key, Entry::Tcp(connection), running);
    }

    /// Takes a datagram. `None` if it is one whose packet waits.
    fn udp(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        datagram: Datagram<'_>,
        packet: &[u8],
        offload: Offload,
    ) -> Option<()> {
        let key = Key { protocol: Protocol::Udp, from, to };
        if let Some(Entry::Udp(datagrams)) = self.table.get(&key) {
            datagrams.send(&self.shared, datagram);
            return Some(());
        }
        if !self.may_begin(packet, offload) {
            return None;
        }
        if self.shared.settings.answers(to) {
            self.question(from, to, datagram.payload);
        } else {
            self.begin_datagrams(key, datagram, packet);
        }
        Some(())
    }

    fn begin_datagrams(&mut self, key: Key, datagram: Datagram<'_>, packet: &[u8]) {
        let Key { from, to, .. } = key;
        let Some(flow) = self.begin(key) else {
            // The gateway has no other ports.
            let is_gateway = self.shared.settings.is_gateway(to.ip());
            let error = if is_gateway { IcmpError::Port } else { IcmpError::Prohibited };
            return self.shared.send_error(error, from.ip(), packet);
        };
        let datagrams = Rc::new(Datagrams::new(flow));
        datagrams.send(&self.shared, datagram);
        let running = Rc::clone(&datagrams).run(Rc::clone(&self.shared), key);
        self.add(key, Entry::Udp(datagrams), running);
    }

    fn question(&mut self, from: SocketAddr, to: SocketAddr, message: &[u8]) {
        if self.questions.len() >= MOST_QUESTIONS {
            return;
        }
        if let Some(question) = Question::read(message) {
            let answering = names_service::serve_datagram(Rc::clone(&self.shared), question, to, from);
            self.questions.spawn_local(answering);
        }
    }

    fn echo(&mut self, from: IpAddr, to: IpAddr, echo: Echo<'_>, packet: &[u8], may_be_cut: bool) {
        if self.shared.settings.is_gateway(to) {
            if let Some(answer) = echo.answer_packet(to, from) {
                self.shared.send(&answer);
            }
            return;
        }
        let (from, to) = (SocketAddr::new(from, echo.id), SocketAddr::new(to, 0));
        let key = Key { protocol: Protocol::Icmp, from, to };
        if let Some(Entry::Icmp(echoes)) = self.table.get(&key) {
            return echoes.send(&self.shared, echo, may_be_cut);
        }
        if !self.may_begin(packet, Offload::default()) {
            return;
        }
        let Some(flow) = self.begin(key) else {
            return self.shared.send_error(IcmpError::Prohibited, from.ip(), packet);
        };
        let echoes = Rc::new(Echoes::new(flow));
        echoes.send(&self.shared, echo, may_be_cut);
        let running = Rc::clone(&echoes).run(Rc::clone(&self.shared), key, packet.to_vec());
        self.add(key, Entry::Icmp(echoes), running);
    }

    /// Returns a new flow, if the rules do not refuse its address whatever its names are, and there is room for it.
    fn begin(&self, key: Key) -> Option<Flow> {
        let to = Destination { protocol: key.protocol, address: key.to.ip(), port: key.to.port() };
        let flow = Flow::new(key.from, to);
        let is_own_subject = self.shared.settings.answers(key.to);
        let refused = if !self.table.has_room() {
            Some(Reason::Limit)
        } else if self.shared.settings.is_gateway(key.to.ip()) && !is_own_subject {
            Some(Reason::Closed(Closed::Own))
        } else {
            None
        };
        let Some(reason) = refused else { return Some(flow) };
        self.shared.refuse(Refusal { what: What::Flow(to), name: None, reason });
        None
    }
}
