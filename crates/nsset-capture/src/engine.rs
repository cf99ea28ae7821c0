//! Moves packets from the ring to the reader.

use std::{future::Future, io, pin::pin, sync::Arc, thread, time::Duration};

use tokio::{
    io::{Interest, unix::AsyncFd},
    select,
    sync::watch,
    task::yield_now,
    time::{sleep, timeout},
};

use crate::{
    pcapng::Section,
    program::Assembler,
    ring::{RETIRE_AFTER, Ring},
    shared::{Order, Shared},
    socket::PacketSocket,
};

const INTEREST: Interest = Interest::READABLE.add(Interest::ERROR);

/// Closing needs little stack; the thread-local data of the C library may need more.
const STACK: usize = 256 * 1024;

/// How often a link that went down is looked for.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(320);

/// Moves packets while it runs. The kernel drops and counts packets for which the ring has no room.
pub struct Engine {
    ring: Ring,
    socket: Arc<PacketSocket>,
    section: Section,
    shared: Arc<Shared>,
    orders: watch::Receiver<Order>,
    is_of_one_link: bool,
}

/// What closes a capture when it is dropped. The kernel waits until no processor uses the socket, some 10 ms, in which the
/// thread of all captures would lose packets of the others.
struct Closing {
    ring: Option<Ring>,
    socket: Option<Arc<PacketSocket>>,
    shared: Arc<Shared>,
    outcome: Option<io::Result<Order>>,
}

impl Closing {
    /// Without a thread, it is closed at once.
    fn on_a_thread(self) {
        let thread = thread::Builder::new().name("nsset-closing".into()).stack_size(STACK);
        drop(thread.spawn(move || drop(self)));
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.ring = None;
        self.shared.release();
        // The last copy. The reader learns of the end when nothing is left.
        self.socket = None;
        if let Some(outcome) = self.outcome.take() {
            self.shared.end(outcome);
        }
    }
}

impl Engine {
    pub(crate) const fn new(
        socket: Arc<PacketSocket>,
        ring: Ring,
        section: Section,
        shared: Arc<Shared>,
        orders: watch::Receiver<Order>,
        is_of_one_link: bool,
    ) -> Self {
        Self { ring, socket, section, shared, orders, is_of_one_link }
    }

    /// Runs until the reader orders the end or is dropped, the link is gone, or `closed` is ready. Needs a tokio runtime.
    pub async fn run(mut self, closed: impl Future<Output = ()>) {
        let mut orders = self.orders.clone();
        let ending = {
            let order = async move { if orders.changed().await.is_ok() { *orders.borrow() } else { Order::Abandon } };
            let (order, closed, moving) = (pin!(order), pin!(closed), pin!(self.move_all()));
            select! {
                biased;
                order = order => Ok(order),
                () = closed => Ok(Order::Stop),
                outcome = moving => outcome.map(|()| Order::Stop),
            }
        };
        let outcome = match ending {
            Ok(Order::Stop) => self.move_last().await.map(|()| Order::Stop),
            other => other,
        };
        let Self { ring, socket, shared, .. } = self;
        Closing { ring: Some(ring), socket: Some(socket), shared, outcome: Some(outcome) }.on_a_thread();
    }

    /// Moves blocks until the link is gone.
    async fn move_all(&mut self) -> io::Result<()> {
        let ready = self.socket.watch(INTEREST)?;
        // Once the link went down, it is looked for again and again: the kernel does not report that it is deleted after that, and
        // packets from before can still arrive.
        let mut pause: Option<Duration> = None;
        loop {
            self.shared.room().await;
            if self.move_block() {
                // Other captures have their turn.
                yield_now().await;
                continue;
            }
            if self.is_of_one_link && !self.socket.has_link() {
                return Ok(());
            }
            let waiting = self.wait(&ready);
            let is_down = match pause {
                None => waiting.await?,
                Some(pause) => timeout(pause, waiting).await.unwrap_or(Ok(false))?,
            };
            pause = if is_down { Some(SHORTEST_PAUSE) } else { pause.map(|pause| LONGEST_PAUSE.min(2 * pause)) };
        }
    }

    /// Waits until there is a block, or an error. Returns whether the link went down; it receives again when it comes up.
    async fn wait(&self, ready: &AsyncFd<Arc<PacketSocket>>) -> io::Result<bool> {
        let mut guard = ready.ready(INTEREST).await?;
        let is_down = self.socket.take_error().is_err();
        if !self.ring.is_ready() {
            guard.clear_ready();
        }
        Ok(is_down)
    }

    /// Moves what was captured before the end. The kernel hands over the last block after a while.
    async fn move_last(&mut self) -> io::Result<()> {
        let mut assembler = Assembler::default();
        let nothing = assembler.accept(0);
        self.socket.attach(&assembler.finish(nothing).unwrap_or_default())?;
        let pause = Duration::from_millis(u64::from(2 * RETIRE_AFTER));
        sleep(pause).await;
        while self.move_block() {}
        Ok(())
    }

    /// Moves a block, if there is one.
    fn move_block(&mut self) -> bool {
        let section = self.section;
        let mut bytes = Vec::new();
        let had_one = self.ring.read_block(|packets| {
            for packet in packets {
                section.packet(&mut bytes, &packet);
            }
        });
        self.shared.add(bytes);
        had_one
    }
}
