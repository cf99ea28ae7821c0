//! Saves what a link loses when it goes down, and restores it.

use crate::{
    address::{Address, AddressSpec},
    error::Result,
    link_ref::LinkRef,
    network::Network,
    route::{Route, RouteSpec},
};

/// The addresses of a link, and the routes through it.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    index: u32,
    addresses: Vec<Address>,
    routes: Vec<Route>,
}

/// `RT_TABLE_LOCAL`: the kernel creates the routes of this table with the addresses.
const LOCAL_TABLE: u32 = 255;

impl Kept {
    pub async fn of(network: &Network, index: u32) -> Result<Self> {
        let addresses = network.addresses().list(Some(&LinkRef::Index(index))).await?;
        let mut routes = network.routes().by(index).await?;
        routes.retain(|route| route.table != LOCAL_TABLE);
        // The kernel accepts a gateway only if a route to it exists.
        routes.sort_by_key(|route| route.gateway.is_some() || !route.next_hops.is_empty());
        Ok(Self { index, addresses, routes })
    }

    /// Restores the missing addresses and routes. Those that the kernel rejects are ignored.
    pub async fn restore(&self, network: &Network) {
        let Ok(now) = Self::of(network, self.index).await else { return };
        let link = LinkRef::Index(self.index);
        for address in &self.addresses {
            let is_there = now.addresses.iter().any(|now| now.cidr == address.cidr && now.peer == address.peer);
            if !is_there {
                let _ = network.addresses().add(&link, &AddressSpec::from(address)).await;
            }
        }
        let Ok(now) = network.routes().by(self.index).await else { return };
        for route in &self.routes {
            if !now.iter().any(|now| now.equals_except_expiry(route)) {
                let _ = network.routes().add(&RouteSpec::from(route)).await;
            }
        }
    }
}
