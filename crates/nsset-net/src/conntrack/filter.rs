//! Which connections are listed or deleted. The kernel selects by family, and this crate by the rest.

use ipnet::IpNet;
use serde::Deserialize;

use super::{
    connection::{ConnectionDirection, ConnectionEnd, TrackedConnection},
    protocol::TrackedProtocol,
    state::ConnectionState,
    status::ConnectionStatus,
};
use crate::family::Family;

/// Selects connections. Fields that are left out match any value; a list of protocols or states matches any of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ConnectionFilter {
    pub family: Option<Family>,
    pub protocol: Vec<TrackedProtocol>,
    pub state: Vec<ConnectionState>,
    /// All of these have to be set.
    pub status: Vec<ConnectionStatus>,
    pub mark: Option<MarkFilter>,
    pub zone: Option<u16>,
    pub label: Option<u16>,
    pub source_address: Option<IpNet>,
    pub source_port: Option<u16>,
    pub destination_address: Option<IpNet>,
    pub destination_port: Option<u16>,
    pub reply_source_address: Option<IpNet>,
    pub reply_source_port: Option<u16>,
    pub reply_destination_address: Option<IpNet>,
    pub reply_destination_port: Option<u16>,
}

/// A mark, of which the bits in `mask` are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct MarkFilter {
    pub value: u32,
    pub mask: u32,
}

impl ConnectionFilter {
    pub(super) fn matches(&self, connection: &TrackedConnection) -> bool {
        let TrackedConnection { original, reply, .. } = connection;
        // A protocol that has a name can also be given by its number.
        let number = connection.protocol.number();
        (self.protocol.is_empty() || self.protocol.iter().any(|protocol| protocol.number() == number))
            && is_one_of(&self.state, connection.state)
            && self.family.is_none_or(|family| family == connection.family)
            && self.status.iter().all(|status| connection.status.contains(status))
            && self.mark.is_none_or(|mark| connection.mark.unwrap_or(0) & mark.mask == mark.value & mark.mask)
            && self.zone.is_none_or(|zone| has_zone(connection, zone))
            && self.label.is_none_or(|label| connection.labels.contains(&label))
            && is_end(self.source_address, self.source_port, original.source)
            && is_end(self.destination_address, self.destination_port, original.destination)
            && is_end(self.reply_source_address, self.reply_source_port, reply.source)
            && is_end(self.reply_destination_address, self.reply_destination_port, reply.destination)
    }
}

fn is_one_of<T: PartialEq>(wanted: &[T], found: Option<T>) -> bool {
    wanted.is_empty() || found.is_some_and(|found| wanted.contains(&found))
}

fn has_zone(connection: &TrackedConnection, zone: u16) -> bool {
    let of = |direction: &ConnectionDirection| direction.zone == Some(zone);
    match connection.zone {
        Some(found) => found == zone,
        None if of(&connection.original) || of(&connection.reply) => true,
        None => zone == 0 && connection.original.zone.is_none() && connection.reply.zone.is_none(),
    }
}

fn is_end(addresses: Option<IpNet>, port: Option<u16>, end: ConnectionEnd) -> bool {
    addresses.is_none_or(|addresses| addresses.contains(&end.address)) && port.is_none_or(|port| end.port == Some(port))
}
