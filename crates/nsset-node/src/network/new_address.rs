//! An address that is added to a link, and what follows.

use nsset_net::{AddressSpec, LinkRef};
use serde::Deserialize;

use crate::{
    network::{outcome, sockets::Sockets},
    network_thread::{failure::Failure, waiting::until_abandoned},
};

#[derive(Debug, Deserialize)]
pub struct NewAddress {
    link: LinkRef,
    address: AddressSpec,
    /// Whether to wait until duplicate address detection has ended.
    #[serde(default)]
    settle: bool,
}

/// What is done if the link has the address.
#[derive(Clone, Copy, Debug)]
pub enum Addition {
    Add,
    Ensure,
    Replace,
}

impl NewAddress {
    /// Adds the address. Returns the result of the operation as JSON.
    pub async fn make(self, sockets: &Sockets, addition: Addition) -> Result<String, Failure> {
        if self.settle && self.address.cidr.addr().is_ipv6() {
            Box::pin(self.make_settled(sockets, addition)).await?;
        } else {
            self.put(sockets, addition).await?;
        }
        Ok(outcome::json(&())?)
    }

    /// Returns whether the link certainly did not have the address.
    async fn put(&self, sockets: &Sockets, addition: Addition) -> Result<bool, Failure> {
        let (addresses, Self { link, address, .. }) = (sockets.addresses().await?, self);
        match addition {
            Addition::Add => addresses.add(link, address).await?,
            Addition::Ensure => return Ok(addresses.ensure(link, address).await?),
            Addition::Replace => return Ok(addresses.replace(link, address).await.map(|()| false)?),
        }
        Ok(true)
    }

    /// Adds the address and waits. If the wait fails, an address that was added is deleted again.
    async fn make_settled(&self, sockets: &Sockets, addition: Addition) -> Result<(), Failure> {
        let changes = sockets.address_changes().await?;
        let is_new = self.put(sockets, addition).await?;
        let (addresses, Self { link, address, .. }) = (sockets.addresses().await?, self);
        let settled = async { addresses.settled(link, address, &changes).await.map_err(Failure::from) };
        let outcome = until_abandoned(settled).await;
        if outcome.is_err() && is_new {
            let _ = addresses.delete(link, address).await;
        }
        outcome
    }
}
