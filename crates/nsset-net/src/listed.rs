//! The objects of lists.

use serde::Serialize;

use crate::{
    address::Address,
    class::Class,
    conntrack::TrackedConnection,
    filter::Filter,
    link::Link,
    neighbour::{ForwardingEntry, Neighbour},
    next_hop::NextHopObject,
    qdisc::Qdisc,
    route::Route,
    rule::Rule,
    socket_diag::NetworkSocket,
    table::{Table, Unwritable},
    vlans::BridgeVlan,
};

/// What the kernel has lists of.
pub trait Listed {
    /// Adds it to a table.
    fn add_to(&self, table: &mut Table) -> Result<(), Unwritable>;

    /// Writes it as JSON.
    fn write(&self, text: &mut Vec<u8>) -> serde_json::Result<()>;
}

/// The functions are compiled with this crate, and its optimizations, instead of with the crate that calls them.
macro_rules! listed {
    ($($object:ty),* $(,)?) => {
        $(impl Listed for $object {
            fn add_to(&self, table: &mut Table) -> Result<(), Unwritable> {
                table.add(self)
            }

            fn write(&self, text: &mut Vec<u8>) -> serde_json::Result<()> {
                serde_json::to_writer(text, self)
            }
        })*
    };
}

listed! {
    Address, BridgeVlan, Class, Filter, ForwardingEntry, Link, Neighbour, NetworkSocket, NextHopObject, Qdisc, Route, Rule,
    TrackedConnection,
}

/// The id of a network, which is an object only in a list.
#[derive(Serialize)]
struct NetworkId {
    id: i32,
}

impl Listed for i32 {
    fn add_to(&self, table: &mut Table) -> Result<(), Unwritable> {
        table.add(&NetworkId { id: *self })
    }

    fn write(&self, text: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(text, &NetworkId { id: *self })
    }
}
