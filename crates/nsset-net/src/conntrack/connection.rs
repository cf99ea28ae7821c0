//! A connection that the kernel tracks, as plain data.

use std::{net::IpAddr, time::SystemTime};

use serde::{Deserialize, Serialize};
use serde_with::{serde_as, skip_serializing_none};

use super::{protocol::TrackedProtocol, state::ConnectionState, status::ConnectionStatus};
use crate::{family::Family, milliseconds::Milliseconds};

/// A connection: its packets in both directions, as they arrive. With address translation, the addresses of the replies are not
/// those of the original direction in reverse.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackedConnection {
    pub family: Family,
    pub protocol: TrackedProtocol,
    pub original: ConnectionDirection,
    pub reply: ConnectionDirection,
    /// Of TCP and SCTP.
    pub state: Option<ConnectionState>,
    pub status: Vec<ConnectionStatus>,
    /// In milliseconds: when the kernel forgets the connection, if there are no packets until then.
    pub timeout: Option<u64>,
    pub mark: Option<u32>,
    pub zone: Option<u16>,
    /// The numbers of the bits that are set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<u16>,
    /// The name of the helper that reads its packets, such as `ftp`.
    pub helper: Option<String>,
    /// With the sysctl `net.netfilter.nf_conntrack_timestamp`. In milliseconds since 1970.
    #[serde_as(as = "Option<Milliseconds>")]
    pub started: Option<SystemTime>,
    /// A number of the kernel, which later connections can have, too.
    pub id: u32,
}

/// Which connection: several can have the same addresses in different zones.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub struct ConnectionRef {
    pub family: Family,
    pub protocol: TrackedProtocol,
    pub original: ConnectionDirection,
    #[serde(default)]
    pub zone: Option<u16>,
    pub id: u32,
}

/// The packets of a connection in one direction.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionDirection {
    pub source: ConnectionEnd,
    pub destination: ConnectionEnd,
    /// Of an echo request and its like.
    pub icmp: Option<ConnectionIcmp>,
    /// The zone, if only this direction has it.
    pub zone: Option<u16>,
    /// With the sysctl `net.netfilter.nf_conntrack_acct`.
    pub packets: Option<u64>,
    pub bytes: Option<u64>,
}

/// The sender or the receiver of packets.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConnectionEnd {
    pub address: IpAddr,
    pub port: Option<u16>,
}

/// What tells messages of ICMP apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ConnectionIcmp {
    #[serde(rename = "type")]
    pub kind: u8,
    pub code: u8,
    pub id: u16,
}

impl TrackedConnection {
    pub fn reference(&self) -> ConnectionRef {
        let original = self.original.without_counts();
        ConnectionRef { family: self.family, protocol: self.protocol, original, zone: self.zone, id: self.id }
    }

    /// Fills in what the kernel left out of a notification, because it did not change.
    pub(crate) fn complete(&mut self, before: &Self) {
        self.state = self.state.or(before.state);
        self.mark = self.mark.or(before.mark);
        self.started = self.started.or(before.started);
        if self.helper.is_none() {
            self.helper.clone_from(&before.helper);
        }
        if self.labels.is_empty() {
            self.labels.clone_from(&before.labels);
        }
        self.original.count_as(&before.original);
        self.reply.count_as(&before.reply);
    }

    /// Removes what changes without a notification.
    pub(crate) fn without_counts(&self) -> Self {
        let (original, reply) = (self.original.without_counts(), self.reply.without_counts());
        Self { timeout: None, original, reply, ..self.clone() }
    }
}

impl ConnectionDirection {
    fn without_counts(&self) -> Self {
        Self { packets: None, bytes: None, ..self.clone() }
    }

    fn count_as(&mut self, before: &Self) {
        self.packets = self.packets.or(before.packets);
        self.bytes = self.bytes.or(before.bytes);
    }
}
