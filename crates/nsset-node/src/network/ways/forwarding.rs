//! Forwardings between the network of a set and the one outside.

use std::{pin::pin, sync::Arc};

use futures_util::future::{Either, join, select};
use napi::{Env, Result};
use napi_derive::napi;
use nsset_forward::{Address, Counters, Stop, StopReceiver, Target, forward_connections, forward_datagrams, stop};
use socket2::Socket;
use tokio::sync::watch;

use crate::{
    deferred::{Loop, Promise},
    network::{
        inside::{Inside, open},
        native_network::NativeNetwork,
        ways::{
            leg::{self, Leg, Listener, NativePlace},
            milliseconds::milliseconds,
            socket_file::remove,
        },
    },
    network_thread::{
        failure::Failure,
        thread::{self, FORWARDINGS},
    },
};

/// What to forward.
#[napi(object, object_to_js = false)]
pub struct NativeForward {
    /// Whether the listener is outside and the targets are inside, or the reverse.
    pub publishes: bool,
    /// Whether datagrams are forwarded, or connections.
    pub datagrams: bool,
    pub listener: NativePlace,
    /// The addresses of the target, in the order in which they are tried.
    pub targets: Vec<NativePlace>,
    /// The queue of connections that are not accepted yet: listen(2).
    pub backlog: i32,
    /// How long a client may be silent before its datagrams have another source, in milliseconds.
    pub idle: f64,
}

/// What a forwarding has done.
#[napi(object, object_from_js = false)]
pub struct NativeForwardingStatistics {
    pub connections: i64,
    pub open: i64,
    pub failed: i64,
    pub bytes_to_target: i64,
    pub bytes_from_target: i64,
}

/// A forwarding. It stops when this is closed or dropped, or when its network is closed.
#[napi]
pub struct NativeForwarding {
    stop: Stop,
    counters: Arc<Counters>,
    place: NativePlace,
    ended: watch::Receiver<()>,
}

#[napi]
impl NativeNetwork {
    /// Starts to forward. The promise is resolved when the listener listens.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeForwarding>")]
    pub fn forward(&self, env: Env, forward: NativeForward) -> Result<Promise<NativeForwarding>> {
        let inside = Arc::clone(&self.inside);
        thread::promise(env, Loop::Held, move |deferred| async move {
            deferred.settle(start(&inside, forward).await);
        })
    }
}

#[napi]
impl NativeForwarding {
    /// The address of the listener.
    #[napi(catch_unwind, getter)]
    pub fn place(&self) -> NativePlace {
        self.place.clone()
    }

    #[napi(catch_unwind)]
    pub fn statistics(&self) -> NativeForwardingStatistics {
        let now = self.counters.read();
        NativeForwardingStatistics {
            connections: now.connections as i64,
            open: now.open as i64,
            failed: now.failed as i64,
            bytes_to_target: now.bytes_to_target as i64,
            bytes_from_target: now.bytes_from_target as i64,
        }
    }

    /// Stops listening. Open connections have this many milliseconds to end; then they are reset.
    #[napi(catch_unwind)]
    pub fn close(&self, grace: f64) {
        self.stop.after(milliseconds(grace));
    }

    /// Resolves when the forwarding has ended.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn ended(&self, env: Env) -> Result<Promise<()>> {
        let mut ended = self.ended.clone();
        thread::promise(env, Loop::Free, move |deferred| async move {
            while ended.changed().await.is_ok() {}
            deferred.resolve(());
        })
    }
}

async fn start(inside: &Inside, forward: NativeForward) -> std::result::Result<NativeForwarding, Failure> {
    let sockets = open(inside)?;
    let closed = sockets.closed();
    // The network may have been closed before `closed` was created, which does not report that.
    open(inside)?;
    let inside = Leg::Inside(sockets);
    let (listening, connecting) = if forward.publishes { (Leg::Outside, inside) } else { (inside, Leg::Outside) };
    let kind = if forward.datagrams { libc::SOCK_DGRAM } else { libc::SOCK_STREAM };
    let mut targets = Vec::new();
    for target in &forward.targets {
        targets.push(connecting.target(target).await?);
    }
    let Listener { socket, place, file } = listening.listener(&forward.listener, kind, forward.backlog).await?;

    let counters = Arc::new(Counters::default());
    let (stop, stopping) = stop();
    let (ending, ended) = watch::channel(());
    let counting = Arc::clone(&counters);
    let mut stops = stopping.clone();
    FORWARDINGS.run(move || async move {
        let run = Run {
            listener: socket,
            targets,
            connecting,
            counting,
            stopping,
            datagrams: forward.datagrams,
            idle: forward.idle,
        };
        // Closing the network drops the future, and with it all sockets.
        let running = pin!(run.forward());
        let closed = pin!(closed);
        let mut forwards = select(running, closed);
        match select(pin!(stops.stopped()), &mut forwards).await {
            // Open connections may continue, but the path is free for another listener.
            Either::Left(_) => {
                join(remove(file), forwards).await;
            }
            Either::Right(_) => remove(file).await,
        }
        drop(ending);
    })?;
    Ok(NativeForwarding { stop, counters, place, ended })
}

/// What the thread of forwardings needs for one of them.
struct Run {
    listener: Socket,
    targets: Vec<leg::Target>,
    connecting: Leg,
    counting: Arc<Counters>,
    stopping: StopReceiver,
    datagrams: bool,
    idle: f64,
}

impl Run {
    async fn forward(self) {
        let address = |target| match target {
            leg::Target::Address(address) => Address::Socket(address),
            leg::Target::Name(name) => Address::File(self.connecting.finder(name)),
        };
        let addresses: Vec<_> = self.targets.into_iter().map(address).collect();
        let target = Target::new(addresses, self.connecting.maker());
        let _ = if self.datagrams {
            let idle = milliseconds(self.idle);
            forward_datagrams(self.listener, target, self.counting, self.stopping, idle).await
        } else {
            forward_connections(self.listener, target, self.counting, self.stopping).await
        };
    }
}
