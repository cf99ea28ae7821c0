//! What all kinds of flows have.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    time::Instant,
};

use tokio::sync::Notify;

use crate::{
    reports::Direction,
    rules::{Destination, Protocol, RuleSet, Verdict},
    shared::Shared,
};

/// The two ends of a flow, by which its packets are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub protocol: Protocol,
    pub from: SocketAddr,
    pub to: SocketAddr,
}

/// One flow, from one place inside to one place outside.
#[derive(Debug)]
pub struct Flow {
    pub from: SocketAddr,
    pub to: Destination,
    pub is_own: Cell<bool>,
    /// The names for which the address was the answer when the flow began.
    pub names: RefCell<Vec<String>>,
    /// The name in the first bytes of the flow.
    pub said: RefCell<Option<String>>,
    /// Whether only a name allows the flow.
    pub by_name: Cell<bool>,
    /// Whether the rules have been asked about it.
    pub is_judged: Cell<bool>,
    /// Whether `decide` has allowed it.
    is_decided: Cell<bool>,
    pub is_open: Cell<bool>,
    /// Whether the end inside and the one outside have both shown that they are there. A flow that a flood begins has not.
    pub is_mutual: Cell<bool>,
    pub since: Instant,
    sent: Cell<u64>,
    received: Cell<u64>,
    pub used: Cell<Instant>,
    /// Wakes the task of the flow.
    pub wake: Notify,
    is_ended: Cell<bool>,
}

/// A flow as others see it.
#[derive(Clone, Debug)]
pub struct FlowReport {
    pub from: SocketAddr,
    pub to: Destination,
    pub names: Vec<String>,
    /// Whether the host has accepted it.
    pub is_open: bool,
    /// In milliseconds.
    pub age: f64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
}

impl Flow {
    pub fn new(from: SocketAddr, to: Destination) -> Self {
        let now = Instant::now();
        Self {
            from,
            to,
            is_own: Cell::new(false),
            names: RefCell::default(),
            said: RefCell::default(),
            by_name: Cell::new(false),
            is_judged: Cell::new(false),
            is_decided: Cell::new(false),
            is_open: Cell::new(false),
            is_mutual: Cell::new(false),
            since: now,
            sent: Cell::new(0),
            received: Cell::new(0),
            used: Cell::new(now),
            wake: Notify::new(),
            is_ended: Cell::new(false),
        }
    }

    pub fn to_place(&self) -> SocketAddr {
        SocketAddr::new(self.to.address, self.to.port)
    }

    pub fn count(&self, shared: &Shared, direction: Direction, bytes: usize) {
        let counter = if direction == Direction::Sent { &self.sent } else { &self.received };
        counter.set(counter.get() + bytes as u64);
        shared.counters.add(direction, bytes);
        self.used.set(Instant::now());
    }

    /// Notes that the owner of the uplink has allowed the flow.
    pub fn decided(&self) {
        self.is_decided.set(true);
    }

    /// Whether the rules still allow the flow, or it waits for a decision.
    pub fn is_allowed_by(&self, rules: &RuleSet) -> bool {
        let judged = rules.judge(self.to, &self.names.borrow(), self.is_own.get());
        let is_allowed = match judged {
            Verdict::Allowed | Verdict::AllowedByName => true,
            Verdict::Ask => self.is_decided.get() || !self.is_open.get(),
            Verdict::Refused(_) => false,
        };
        let said = self.said.borrow();
        let by_name = judged == Verdict::AllowedByName;
        is_allowed && said.as_ref().is_none_or(|name| rules.judge_name_inside(name, self.to, by_name).is_ok())
    }

    /// Makes the task end the flow.
    pub fn end(&self) {
        self.is_ended.set(true);
        self.wake.notify_one();
    }

    pub fn is_ended(&self) -> bool {
        self.is_ended.get()
    }

    pub fn report(&self) -> FlowReport {
        let mut names = self.names.borrow().clone();
        names.extend(self.said.borrow().iter().filter(|name| !self.names.borrow().contains(name)).cloned());
        FlowReport {
            from: self.from,
            to: self.to,
            names,
            is_open: self.is_open.get(),
            age: self.since.elapsed().as_secs_f64() * 1000.0,
            bytes_sent: self.sent.get(),
            bytes_received: self.received.get(),
        }
    }
}
