//! The other networks that a request is about.

use std::sync::Arc;

use nsset_net::Network;
use serde::Deserialize;

use crate::{
    network::{
        inside::{Inside, open},
        sockets::Sockets,
    },
    network_thread::failure::Failure,
};

/// The index of another network in the request's list.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Other(usize);

impl Other {
    pub fn open(self, others: &[Inside]) -> nsset::Result<Arc<Sockets>> {
        open(others.get(self.0).ok_or(nsset::Error::Closed)?)
    }
}

pub async fn network_of(other: Option<Other>, others: &[Inside]) -> Result<Option<Network>, Failure> {
    match other {
        Some(other) => Ok(Some(other.open(others)?.network().await?.clone())),
        None => Ok(None),
    }
}

pub async fn networks_of(networks: &[Other], others: &[Inside]) -> Result<Vec<Network>, Failure> {
    let mut opened = Vec::with_capacity(networks.len());
    for network in networks {
        opened.push(network.open(others)?.network().await?.clone());
    }
    Ok(opened)
}
