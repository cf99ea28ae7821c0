//! A way out of a network namespace for every program in it, as an ordinary user and without a tun device: packets are read from the far
//! end of a veth, and a TCP/IP stack in user space connects from the network of the calling thread, under rules.
//!
//! The host connects first, and the first packet of a connection waits for that: a connection that the host's network refuses is
//! refused inside.
//!
//! Everything here runs on a [`tokio::task::LocalSet`].

mod async_socket;
mod backlog;
mod carrier;
mod flows;
mod hello;
mod names;
mod names_service;
mod own_address;
mod packets;
mod rate;
mod reports;
mod rules;
mod shared;
mod socket_option;
mod stack;
mod table;
mod uplink;

pub use carrier::Link;
pub use flows::FlowReport;
pub use reports::{Asked, Counters, Questions, Refusal, Refusals, Statistics, What};
pub use rules::{Closed, Destination, NamePattern, Protocol, Reason, Rule, RuleSet};
pub use shared::Settings;
pub use uplink::{Command, Engine, Uplink, uplink};
