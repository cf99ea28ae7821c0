//! The ids by which a network knows others.

use crate::{
    network::{
        inside::Inside,
        operations::{
            other_networks::{Other, networks_of},
            result::json,
        },
        sockets::Sockets,
    },
    network_thread::failure::Failure,
};

pub async fn get_id(sockets: &Sockets, other: &Sockets) -> Result<String, Failure> {
    json(&sockets.network().await?.ids().get(other.network().await?).await?)
}

pub async fn set_id(sockets: &Sockets, other: &Sockets, id: Option<i32>) -> Result<String, Failure> {
    json(&sockets.network().await?.ids().set(other.network().await?, id).await?)
}

/// Returns which of the networks has the id.
pub async fn find_id(sockets: &Sockets, id: i32, networks: &[Other], others: &[Inside]) -> Result<String, Failure> {
    let ids = sockets.network().await?.ids();
    for (at, network) in networks_of(networks, others).await?.iter().enumerate() {
        if ids.get(network).await? == Some(id) {
            return json(&Some(at));
        }
    }
    json(&None::<usize>)
}
