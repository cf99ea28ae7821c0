//! The sockets of a network, and the connections that the packet filter tracks.

use nsset_net::{ConnectionFilter, ConnectionRef, SocketFilter};
use serde::Deserialize;

use crate::{
    network::{list::list, operations::result::json, sockets::Sockets},
    network_thread::failure::Failure,
};

/// Either one of a list, or those that match.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionsToDelete {
    connection: Option<Box<ConnectionRef>>,
    filter: Option<Box<ConnectionFilter>>,
}

pub async fn list_sockets(sockets: &Sockets, filter: SocketFilter) -> Result<String, Failure> {
    list(&sockets.diag().await?.list(&filter).await?)
}

pub async fn destroy_sockets(sockets: &Sockets, filter: SocketFilter) -> Result<String, Failure> {
    json(&sockets.diag().await?.destroy(&filter).await?)
}

pub async fn list_connections(sockets: &Sockets, filter: ConnectionFilter) -> Result<String, Failure> {
    list(&sockets.conntrack().await?.list(&filter).await?)
}

pub async fn delete_connections(sockets: &Sockets, which: ConnectionsToDelete) -> Result<String, Failure> {
    let conntrack = sockets.conntrack().await?;
    if let Some(connection) = which.connection {
        return json(&conntrack.delete(&connection).await?);
    }
    json(&conntrack.delete_matching(&which.filter.unwrap_or_default()).await?)
}

pub async fn flush_connections(sockets: &Sockets) -> Result<String, Failure> {
    json(&sockets.conntrack().await?.flush().await?)
}

pub async fn count_connections(sockets: &Sockets) -> Result<String, Failure> {
    json(&sockets.conntrack().await?.statistics().await?)
}
