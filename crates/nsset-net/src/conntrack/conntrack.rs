//! The operations on connections.

use std::{net::SocketAddr, sync::Arc};

use nix::errno::Errno;

use super::{
    connection::{ConnectionEnd, ConnectionRef, TrackedConnection},
    filter::ConnectionFilter,
    message::{self, kind},
    statistics::ConntrackStatistics,
};
use crate::{
    error::{Error, NetlinkError, Result},
    firewall::Firewall,
    netlink::{conversation::Conversation, request::Request},
};

/// The connections of a network.
#[derive(Clone, Debug)]
pub struct Conntrack {
    conversation: Arc<Conversation>,
}

impl Conntrack {
    /// Uses the socket of the firewall.
    pub fn of(firewall: &Firewall) -> Self {
        Self { conversation: firewall.conversation() }
    }

    /// Lists the connections that match. The kernel does not report whether connections begin and end meanwhile.
    pub async fn list(&self, filter: &ConnectionFilter) -> Result<Vec<TrackedConnection>> {
        let request = Request::dump(message::about(kind::GET, filter.family));
        let matching = |message: &[u8]| {
            let connection = message::read(message)?;
            Ok(connection.filter(|connection| filter.matches(connection)))
        };
        let found = self.conversation.dump(request, matching).await;
        found.map_err(|error| refused(error, "IPCTNL_MSG_CT_GET", ""))
    }

    /// Deletes a connection. It fails with `ENOENT` if there is none with these addresses and this id.
    pub async fn delete(&self, connection: &ConnectionRef) -> Result<()> {
        let outcome = self.conversation.act(Request::act(message::delete(connection))).await;
        outcome.map_err(|error| refused(error, "IPCTNL_MSG_CT_DELETE", &target(connection)))
    }

    /// Deletes the connections that match, and returns them.
    pub async fn delete_matching(&self, filter: &ConnectionFilter) -> Result<Vec<TrackedConnection>> {
        let mut deleted = Vec::new();
        for connection in self.list(filter).await? {
            match self.delete(&connection.reference()).await {
                Ok(()) => deleted.push(connection),
                // It ended in the meantime.
                Err(error) if error.errno() == Some(Errno::ENOENT) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(deleted)
    }

    /// Deletes all connections.
    pub async fn flush(&self) -> Result<()> {
        let outcome = self.conversation.act(Request::act(message::about(kind::DELETE, None))).await;
        outcome.map_err(|error| refused(error, "IPCTNL_MSG_CT_DELETE", ""))
    }

    /// Returns what was counted about all connections, by all processors.
    pub async fn statistics(&self) -> Result<ConntrackStatistics> {
        let mut statistics = ConntrackStatistics::default();
        let question = Request::act(message::about(kind::GET_STATISTICS, None));
        let entries = self.conversation.get(question, ConntrackStatistics::read_entries).await;
        (statistics.entries, statistics.max_entries) =
            entries.map_err(|error| refused(error, "IPCTNL_MSG_CT_GET_STATS", ""))?;
        let question = Request::dump(message::about(kind::GET_STATISTICS_OF_CPUS, None));
        let of_cpus = self.conversation.dump(question, |message| Ok(Some(message.to_vec()))).await;
        let added = of_cpus.and_then(|messages| {
            messages.iter().try_for_each(|message| statistics.add(message)).map_err(NetlinkError::from)
        });
        added.map_err(|error| refused(error, "IPCTNL_MSG_CT_GET_STATS_CPU", ""))?;
        Ok(statistics)
    }
}

fn target(connection: &ConnectionRef) -> String {
    let end = |end: ConnectionEnd| match end.port {
        Some(port) => SocketAddr::new(end.address, port).to_string(),
        None => end.address.to_string(),
    };
    format!("{} to {}", end(connection.original.source), end(connection.original.destination))
}

fn refused(error: NetlinkError, request: &'static str, target: &str) -> Error {
    let hint = match error.errno {
        Errno::EPERM => "it needs CAP_NET_ADMIN in the user namespace that owns the network",
        // nfnetlink has no such subsystem. A connection that is named in full can be invalid by itself.
        Errno::EINVAL if target.is_empty() => "the kernel needs the module nf_conntrack_netlink",
        Errno::ENOENT => "the connection has ended",
        _ => return error.of(request, target),
    };
    error.of(request, target).with_hint(hint.to_owned())
}
