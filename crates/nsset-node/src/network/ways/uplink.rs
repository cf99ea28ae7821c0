//! Uplinks: ways out of the network of a set.

use std::{
    result::Result as Outcome,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::{Either, select};
use napi::{Env, Result};
use napi_derive::napi;
use nix::errno::Errno;
use nsset::{Error, Kind, SystemError};
use nsset_uplink::{Command, Counters, FlowReport, Link, Questions, Refusals, RuleSet, Settings, Uplink, uplink};
use tokio::sync::{mpsc::UnboundedSender, oneshot, watch};

use crate::{
    deferred::{Loop, Promise},
    failure::guard,
    network::{
        inside::{Inside, open},
        native_network::NativeNetwork,
        ways::{
            milliseconds::milliseconds,
            uplink_reports::{NativeFlow, NativeQuestion, NativeRefusals, NativeUplinkStatistics},
            uplink_rules::{NativeRule, rules},
        },
    },
    network_thread::{
        failure::Failure,
        thread::{self, UPLINKS},
    },
};

/// How an uplink is set up.
#[napi(object, object_to_js = false)]
pub struct NativeUplinkOptions {
    /// The index of the far end of the veth, in its network.
    pub link: u32,
    pub mtu: u32,
    pub gateway_v4: String,
    pub gateway_v6: String,
    /// The name servers of the host, with their ports.
    pub servers: Vec<String>,
    pub allow: Vec<NativeRule>,
    pub deny: Vec<NativeRule>,
    /// Whether what no rule names is allowed, if it is not closed.
    pub is_open: bool,
    /// Whether what no rule names is asked.
    pub asks: bool,
    /// How long a question may wait for its answer, in milliseconds.
    pub patience: f64,
}

/// An uplink. It ends when this is closed or dropped, or when the network of its far end is closed.
#[napi]
pub struct NativeUplink {
    commands: Mutex<Option<UnboundedSender<Command>>>,
    counters: Arc<Counters>,
    refusals: Arc<Refusals>,
    questions: Arc<Questions>,
    ended: watch::Receiver<()>,
}

#[napi]
impl NativeNetwork {
    /// Starts an uplink over a link of this network, which is that of the far end.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeUplink>")]
    pub fn uplink(&self, env: Env, options: NativeUplinkOptions) -> Result<Promise<NativeUplink>> {
        let far = Arc::clone(&self.inside);
        thread::promise(env, Loop::Held, move |deferred| async move {
            deferred.settle(start(&far, options).await);
        })
    }
}

#[napi]
impl NativeUplink {
    /// Adds rules that allow.
    #[napi(catch_unwind)]
    pub fn allow(&self, env: Env, allow: Vec<NativeRule>) -> Result<()> {
        guard(env, || self.order(Command::Allow(rules(allow)?)))
    }

    /// Adds rules that deny, and ends the flows that they deny.
    #[napi(catch_unwind)]
    pub fn deny(&self, env: Env, deny: Vec<NativeRule>) -> Result<()> {
        guard(env, || self.order(Command::Deny(rules(deny)?)))
    }

    /// Returns the flows that have not ended.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<NativeFlow>>")]
    pub fn flows(&self, env: Env) -> Result<Promise<Vec<NativeFlow>>> {
        let (answer, flows) = oneshot::channel::<Vec<FlowReport>>();
        // Without an answer there is no flow any more.
        let _ = self.order(Command::Flows(answer));
        thread::promise(env, Loop::Held, move |deferred| async move {
            deferred.resolve(flows.await.unwrap_or_default().into_iter().map(NativeFlow::from).collect());
        })
    }

    #[napi(catch_unwind)]
    pub fn statistics(&self) -> NativeUplinkStatistics {
        self.counters.read().into()
    }

    /// Returns the refusals from a position on, when there are some. Null at the end.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeRefusals | null>")]
    pub fn refusals_since(&self, env: Env, position: i64) -> Result<Promise<Option<NativeRefusals>>> {
        let refusals = Arc::clone(&self.refusals);
        let position = u64::try_from(position).unwrap_or(0);
        // Who waits for refusals to come does not keep Node.js running.
        let keeps = if refusals.has_since(position) { Loop::Held } else { Loop::Free };
        thread::promise(env, keeps, move |deferred| async move {
            let found = refusals.since(position).await;
            deferred.resolve(found.map(NativeRefusals::from));
        })
    }

    /// Returns the flows to decide, when there are some. Null at the end.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<NativeQuestion> | null>")]
    pub fn questions(&self, env: Env) -> Result<Promise<Option<Vec<NativeQuestion>>>> {
        let questions = Arc::clone(&self.questions);
        thread::promise(env, Loop::Free, move |deferred| async move {
            let asked = questions.next().await;
            deferred.resolve(asked.map(|asked| asked.into_iter().map(NativeQuestion::from).collect()));
        })
    }

    /// Decides a flow.
    #[napi(catch_unwind)]
    pub fn answer(&self, question: u32, is_allowed: bool) {
        self.questions.answer(question, is_allowed);
    }

    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.commands().take();
    }

    /// Resolves when the uplink has ended.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn ended(&self, env: Env) -> Result<Promise<()>> {
        let mut ended = self.ended.clone();
        thread::promise(env, Loop::Held, move |deferred| async move {
            while ended.changed().await.is_ok() {}
            deferred.resolve(());
        })
    }
}

impl NativeUplink {
    fn order(&self, command: Command) -> nsset::Result<()> {
        let sent = self.commands().as_ref().map(|commands| commands.send(command));
        sent.and_then(Outcome::ok).ok_or(Error::Closed)
    }

    fn commands(&self) -> MutexGuard<'_, Option<UnboundedSender<Command>>> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn start(far: &Inside, options: NativeUplinkOptions) -> Outcome<NativeUplink, Failure> {
    let sockets = open(far)?;
    let closed = sockets.closed();
    // The network may have been closed before `closed` was created, which does not report that.
    open(far)?;
    let (index, settings, rules) = (options.link, settings(&options)?, rule_set(options)?);
    let packets = || sockets.socket_inside(libc::AF_PACKET, libc::SOCK_RAW, 0);
    let pair = [packets().await?, packets().await?];
    drop(sockets);
    let link = Link::Interface { sockets: pair, index };
    let (ending, ended) = watch::channel(());
    let (started, starting) = oneshot::channel();
    UPLINKS.run(move || async move {
        match uplink(link, settings, rules) {
            Ok((handle, engine)) => {
                let _ = started.send(Ok(handle));
                // Closing the network drops the future, and with it all sockets.
                if let Either::Right(_) = select(std::pin::pin!(engine.run()), std::pin::pin!(closed)).await {}
            }
            Err(error) => drop(started.send(Err(error))),
        }
        drop(ending);
    })?;
    let Uplink { commands, counters, refusals, questions } =
        starting.await.map_err(|_| Error::from(SystemError::new(Errno::ECANCELED, "uplink")))?.map_err(|error| {
            let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
            Error::from(SystemError::new(errno, "packet socket").kind(Kind::Net))
        })?;
    Ok(NativeUplink { commands: Mutex::new(Some(commands)), counters, refusals, questions, ended })
}

fn settings(options: &NativeUplinkOptions) -> nsset::Result<Settings> {
    let unreadable = |text: &str| Error::InvalidArgument(format!("'{text}' is not an address"));
    let servers: nsset::Result<_> =
        options.servers.iter().map(|server| server.parse().map_err(|_| unreadable(server))).collect();
    Ok(Settings {
        gateway_v4: options.gateway_v4.parse().map_err(|_| unreadable(&options.gateway_v4))?,
        gateway_v6: options.gateway_v6.parse().map_err(|_| unreadable(&options.gateway_v6))?,
        servers: servers?,
        patience: milliseconds(options.patience),
        mtu: options.mtu as usize,
    })
}

fn rule_set(options: NativeUplinkOptions) -> nsset::Result<RuleSet> {
    let (allow, deny) = (rules(options.allow)?, rules(options.deny)?);
    Ok(RuleSet { allow, deny, is_open: options.is_open, asks: options.asks })
}
