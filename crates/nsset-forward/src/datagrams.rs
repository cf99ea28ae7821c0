//! Forwards the datagrams that a socket receives.

use std::{collections::HashMap, io, rc::Rc, sync::Arc, time::Duration};

use socket2::{Domain, Socket};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::mpsc::{Sender, channel},
    task::JoinSet,
    time::Instant,
};

use crate::{
    async_socket::register,
    counters::Counters,
    flow::{Flow, LARGEST_DATAGRAM},
    packet_info::{self, Ends},
    stop::StopReceiver,
    target::Target,
};

/// How many clients a forwarding remembers. A new client then takes the place of the one that has been silent longest.
const MOST_FLOWS: usize = 1024;

/// How many datagrams of a client wait for its socket. Further ones are lost, as on any network.
const MOST_WAITING: usize = 64;

/// Sends each datagram that a socket receives to the target, from one socket for each client, and the answers back to the client,
/// until it is stopped. A client that has neither sent nor received for `idle` is forgotten.
///
/// # Errors
/// The error of setsockopt(2) or epoll_ctl(2).
pub async fn forward_datagrams(
    listener: Socket,
    target: Target,
    counters: Arc<Counters>,
    mut stop: StopReceiver,
    idle: Duration,
) -> io::Result<()> {
    packet_info::request(&listener, listener.domain()? == Domain::IPV6)?;
    let listener = Rc::new(register(listener)?);
    let mut flows = Flows {
        listener: Rc::clone(&listener),
        target,
        counters,
        idle,
        senders: HashMap::new(),
        tasks: JoinSet::new(),
    };
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        tokio::select! {
            () = stop.stopped() => break,
            received = listener.async_io(Interest::READABLE, |socket| packet_info::receive(socket, &mut buffer)) => {
                // The error of an earlier answer: its client has gone.
                if let Ok(Some((length, ends))) = received {
                    flows.pass(ends, buffer.get(..length).unwrap_or_default());
                }
            }
            Some(_) = flows.tasks.join_next() => flows.forget_ended(),
        }
    }
    flows.tasks.shutdown().await;
    Ok(())
}

/// The flows of the clients.
struct Flows {
    listener: Rc<AsyncFd<Socket>>,
    target: Target,
    counters: Arc<Counters>,
    idle: Duration,
    senders: HashMap<Ends, Client>,
    tasks: JoinSet<()>,
}

struct Client {
    datagrams: Sender<Vec<u8>>,
    last: Instant,
}

impl Flows {
    fn pass(&mut self, ends: Ends, datagram: &[u8]) {
        if self.senders.get(&ends).is_none_or(|client| client.datagrams.is_closed()) {
            self.begin(ends);
        }
        if let Some(client) = self.senders.get_mut(&ends) {
            client.last = Instant::now();
            let _ = client.datagrams.try_send(datagram.to_vec());
        }
    }

    fn begin(&mut self, ends: Ends) {
        if self.senders.len() >= MOST_FLOWS {
            self.forget_oldest();
        }
        let (sender, receiver) = channel(MOST_WAITING);
        let flow = Flow {
            listener: Rc::clone(&self.listener),
            ends,
            target: self.target.clone(),
            counters: Arc::clone(&self.counters),
            idle: self.idle,
        };
        self.tasks.spawn_local(flow.run(receiver));
        self.senders.insert(ends, Client { datagrams: sender, last: Instant::now() });
    }

    /// Dropping the sender ends the flow.
    fn forget_oldest(&mut self) {
        let oldest = self.senders.iter().min_by_key(|(_, client)| client.last).map(|(ends, _)| *ends);
        oldest.and_then(|ends| self.senders.remove(&ends));
    }

    fn forget_ended(&mut self) {
        self.senders.retain(|_, client| !client.datagrams.is_closed());
    }
}
