//! The operations on a network. They come from JavaScript as plain data, with the names of the TypeScript API.

use nix::errno::Errno;
use nsset::SystemError;
use nsset_net::{
    AddressSpec, BridgeVlanSpec, ClassSpec, ConnectionFilter, Family, FilterParent, FilterPlace, FilterSpec,
    ForwardingEntrySpec, Handle, LinkChanges, LinkRef, NeighbourSpec, NextHopObjectSpec, Offload, QdiscPlace,
    QdiscSpec, RouteLookup, RouteSpec, Rule, SocketFilter, WireGuardSpec,
    firewall::{SetElement, Table, TableRef},
};
use serde::Deserialize;

use crate::{
    network::{
        inside::Inside,
        new_address::{Addition, NewAddress},
        operations::{
            caller::Caller,
            ids::{find_id, get_id, set_id},
            links::{
                NewLink, add_link, ensure_link, get_offload, get_peer, get_wireguard, move_link, set_offload,
                set_wireguard,
            },
            lists::{list_entries, list_links, list_neighbours, list_of, list_routes},
            monitoring::{
                ConnectionsToDelete, count_connections, delete_connections, destroy_sockets, flush_connections,
                list_connections, list_sockets,
            },
            other_networks::Other,
            result::json,
        },
        sockets::Sockets,
        sysctl_links,
    },
    network_thread::failure::Failure,
};

/// Written as `{ "links.get": { … } }`: serde reads a value whose name comes first without keeping it.
#[derive(Debug, Deserialize)]
pub enum Operation {
    #[serde(rename = "links.list")]
    ListLinks {},
    #[serde(rename = "links.get")]
    GetLink { link: LinkRef },
    #[serde(rename = "links.add")]
    AddLink { spec: Box<NewLink> },
    #[serde(rename = "links.ensure")]
    EnsureLink { spec: Box<NewLink> },
    #[serde(rename = "links.set")]
    SetLink { link: LinkRef, changes: Box<LinkChanges> },
    #[serde(rename = "links.delete")]
    DeleteLink { link: LinkRef, force: bool },
    #[serde(rename = "links.move")]
    MoveLink { link: LinkRef, network: Other, name: Option<String> },
    #[serde(rename = "links.peer")]
    GetPeer { link: LinkRef, networks: Vec<Other> },
    #[serde(rename = "ids.list")]
    ListIds {},
    #[serde(rename = "ids.get")]
    GetId { network: Other },
    #[serde(rename = "ids.set")]
    SetId { network: Other, id: Option<i32> },
    #[serde(rename = "ids.find")]
    FindId { id: i32, networks: Vec<Other> },
    #[serde(rename = "addresses.list")]
    ListAddresses { link: Option<LinkRef> },
    #[serde(rename = "addresses.add")]
    AddAddress(NewAddress),
    #[serde(rename = "addresses.ensure")]
    EnsureAddress(NewAddress),
    #[serde(rename = "addresses.replace")]
    ReplaceAddress(NewAddress),
    #[serde(rename = "addresses.delete")]
    DeleteAddress { link: LinkRef, address: AddressSpec },
    #[serde(rename = "routes.list")]
    ListRoutes { table: Option<u32> },
    #[serde(rename = "routes.add")]
    AddRoute { route: RouteSpec },
    #[serde(rename = "routes.append")]
    AppendRoute { route: RouteSpec },
    #[serde(rename = "routes.replace")]
    ReplaceRoute { route: RouteSpec },
    #[serde(rename = "routes.delete")]
    DeleteRoute { route: RouteSpec },
    #[serde(rename = "routes.lookup")]
    LookUpRoute { lookup: Box<RouteLookup> },
    #[serde(rename = "nextHops.list")]
    ListNextHops {},
    #[serde(rename = "nextHops.add")]
    AddNextHop { hop: Box<NextHopObjectSpec> },
    #[serde(rename = "nextHops.replace")]
    ReplaceNextHop { hop: Box<NextHopObjectSpec> },
    #[serde(rename = "nextHops.delete")]
    DeleteNextHop { id: u32 },
    #[serde(rename = "rules.list")]
    ListRules { family: Option<Family> },
    #[serde(rename = "rules.add")]
    AddRule { rule: Box<Rule> },
    #[serde(rename = "rules.delete")]
    DeleteRule { rule: Box<Rule> },
    #[serde(rename = "neighbours.list")]
    ListNeighbours { link: Option<LinkRef> },
    #[serde(rename = "neighbours.add")]
    AddNeighbour { link: LinkRef, neighbour: NeighbourSpec },
    #[serde(rename = "neighbours.replace")]
    ReplaceNeighbour { link: LinkRef, neighbour: NeighbourSpec },
    #[serde(rename = "neighbours.delete")]
    DeleteNeighbour { link: LinkRef, neighbour: NeighbourSpec },
    #[serde(rename = "forwardingEntries.list")]
    ListForwardingEntries { link: Option<LinkRef> },
    #[serde(rename = "forwardingEntries.add")]
    AddForwardingEntry { link: LinkRef, entry: ForwardingEntrySpec },
    #[serde(rename = "forwardingEntries.append")]
    AppendForwardingEntry { link: LinkRef, entry: ForwardingEntrySpec },
    #[serde(rename = "forwardingEntries.replace")]
    ReplaceForwardingEntry { link: LinkRef, entry: ForwardingEntrySpec },
    #[serde(rename = "forwardingEntries.delete")]
    DeleteForwardingEntry { link: LinkRef, entry: ForwardingEntrySpec },
    #[serde(rename = "qdiscs.list")]
    ListQdiscs { link: Option<LinkRef> },
    #[serde(rename = "qdiscs.add")]
    AddQdisc { link: LinkRef, spec: QdiscSpec },
    #[serde(rename = "qdiscs.replace")]
    ReplaceQdisc { link: LinkRef, spec: QdiscSpec },
    #[serde(rename = "qdiscs.delete")]
    DeleteQdisc { link: LinkRef, place: QdiscPlace },
    #[serde(rename = "classes.list")]
    ListClasses { link: Option<LinkRef> },
    #[serde(rename = "classes.add")]
    AddClass { link: LinkRef, spec: ClassSpec },
    #[serde(rename = "classes.replace")]
    ReplaceClass { link: LinkRef, spec: ClassSpec },
    #[serde(rename = "classes.delete")]
    DeleteClass { link: LinkRef, handle: Handle },
    #[serde(rename = "filters.list")]
    ListFilters { link: LinkRef, parent: Option<FilterParent> },
    #[serde(rename = "filters.add")]
    AddFilter { link: LinkRef, spec: Box<FilterSpec> },
    #[serde(rename = "filters.replace")]
    ReplaceFilter { link: LinkRef, spec: Box<FilterSpec> },
    #[serde(rename = "filters.delete")]
    DeleteFilter {
        link: LinkRef,
        place: FilterPlace,
        #[serde(rename = "type")]
        kind: Option<String>,
    },
    #[serde(rename = "vlans.list")]
    ListVlans { link: Option<LinkRef> },
    #[serde(rename = "vlans.add")]
    AddVlan { link: LinkRef, vlan: BridgeVlanSpec },
    #[serde(rename = "vlans.delete")]
    DeleteVlan { link: LinkRef, vlan: BridgeVlanSpec },
    #[serde(rename = "offload.get")]
    GetOffload { link: LinkRef },
    #[serde(rename = "offload.set")]
    SetOffload { link: LinkRef, changes: Box<Offload> },
    #[serde(rename = "wireguard.get")]
    GetWireGuard { link: LinkRef },
    #[serde(rename = "wireguard.set")]
    SetWireGuard { link: LinkRef, spec: Box<WireGuardSpec> },
    #[serde(rename = "sockets.list")]
    ListSockets { filter: Box<SocketFilter> },
    #[serde(rename = "sockets.destroy")]
    DestroySockets { filter: Box<SocketFilter> },
    #[serde(rename = "firewall.list")]
    ListTables {},
    #[serde(rename = "firewall.get")]
    GetTable { table: TableRef },
    #[serde(rename = "firewall.replace")]
    ReplaceTable { table: Box<Table> },
    #[serde(rename = "firewall.counters")]
    CountTable { table: TableRef },
    #[serde(rename = "firewall.addElements")]
    AddElements { table: TableRef, set: String, elements: Vec<SetElement> },
    #[serde(rename = "firewall.deleteElements")]
    DeleteElements { table: TableRef, set: String, elements: Vec<SetElement> },
    #[serde(rename = "firewall.delete")]
    DeleteTable { table: TableRef, force: bool },
    #[serde(rename = "conntrack.list")]
    ListConnections { filter: Box<ConnectionFilter> },
    #[serde(rename = "conntrack.delete")]
    DeleteConnections(ConnectionsToDelete),
    #[serde(rename = "conntrack.flush")]
    FlushConnections {},
    #[serde(rename = "conntrack.statistics")]
    CountConnections {},
    #[serde(rename = "sysctls.get")]
    GetSysctl { name: String },
    #[serde(rename = "sysctls.set")]
    SetSysctl { name: String, value: String },
}

/// The error of a request that would have to wait without blocking its thread, which is a bug of nsset.
pub fn not_ready() -> nsset::Error {
    SystemError::new(Errno::ECANCELED, "request").into()
}

impl Operation {
    /// Runs the operation and returns its result as JSON. If another thread runs the last operation, that thread settles the
    /// promise.
    ///
    /// Each future has its own box: without, every request would be as large as the largest of them, which is 7 KB.
    pub async fn perform(self, sockets: &Sockets, others: &[Inside], caller: Caller<'_>) -> Result<String, Failure> {
        match self {
            Self::GetWireGuard { link } => Box::pin(get_wireguard(sockets, link)).await,
            Self::SetWireGuard { link, spec } => Box::pin(set_wireguard(sockets, link, *spec)).await,
            Self::GetSysctl { name } => Box::pin(sysctl_links::get(sockets, name, caller.last())).await,
            Self::SetSysctl { name, value } => Box::pin(sysctl_links::set(sockets, name, value, caller.last())).await,
            Self::ListTables {}
            | Self::GetTable { .. }
            | Self::ReplaceTable { .. }
            | Self::CountTable { .. }
            | Self::AddElements { .. }
            | Self::DeleteElements { .. }
            | Self::DeleteTable { .. } => Box::pin(self.perform_on_firewall(sockets)).await,
            Self::ListSockets { filter } => Box::pin(list_sockets(sockets, *filter)).await,
            Self::DestroySockets { filter } => Box::pin(destroy_sockets(sockets, *filter)).await,
            Self::ListConnections { filter } => Box::pin(list_connections(sockets, *filter)).await,
            Self::DeleteConnections(which) => Box::pin(delete_connections(sockets, which)).await,
            Self::FlushConnections {} => Box::pin(flush_connections(sockets)).await,
            Self::CountConnections {} => Box::pin(count_connections(sockets)).await,
            Self::ListLinks {} => Box::pin(list_links(sockets, caller)).await,
            Self::GetLink { link } => json(&Box::pin(sockets.links().await?.get(&link)).await?),
            Self::AddLink { spec } => Box::pin(add_link(sockets, *spec, others)).await,
            Self::EnsureLink { spec } => Box::pin(ensure_link(sockets, *spec, others)).await,
            Self::SetLink { link, changes } => json(&Box::pin(sockets.links().await?.set(&link, &changes)).await?),
            Self::DeleteLink { link, force } => json(&Box::pin(sockets.links().await?.delete(&link, force)).await?),
            Self::MoveLink { link, network, name } => {
                Box::pin(move_link(sockets, &link, &*network.open(others)?, name)).await
            }
            Self::GetPeer { link, networks } => Box::pin(get_peer(sockets, &link, &networks, others)).await,
            Self::ListIds {} => Box::pin(list_of(sockets, async |network| network.ids().list().await)).await,
            Self::GetId { network } => Box::pin(get_id(sockets, &*network.open(others)?)).await,
            Self::SetId { network, id } => Box::pin(set_id(sockets, &*network.open(others)?, id)).await,
            Self::FindId { id, networks } => Box::pin(find_id(sockets, id, &networks, others)).await,
            Self::ListAddresses { link } => {
                Box::pin(list_of(sockets, async |network| network.addresses().list(link.as_ref()).await)).await
            }
            Self::AddAddress(new) => Box::pin(new.make(sockets, Addition::Add)).await,
            Self::EnsureAddress(new) => Box::pin(new.make(sockets, Addition::Ensure)).await,
            Self::ReplaceAddress(new) => Box::pin(new.make(sockets, Addition::Replace)).await,
            Self::DeleteAddress { link, address } => {
                json(&Box::pin(sockets.addresses().await?.delete(&link, &address)).await?)
            }
            Self::ListRoutes { table } => Box::pin(list_routes(sockets, table, caller)).await,
            Self::AddRoute { route } => json(&Box::pin(sockets.routes().await?.add(&route)).await?),
            Self::AppendRoute { route } => json(&Box::pin(sockets.routes().await?.append(&route)).await?),
            Self::ReplaceRoute { route } => json(&Box::pin(sockets.routes().await?.replace(&route)).await?),
            Self::DeleteRoute { route } => json(&Box::pin(sockets.routes().await?.delete(&route)).await?),
            Self::LookUpRoute { lookup } => json(&Box::pin(sockets.network().await?.look_up_route(&lookup)).await?),
            Self::ListNextHops {} => Box::pin(list_of(sockets, async |network| network.next_hops().list().await)).await,
            Self::AddNextHop { hop } => json(&Box::pin(sockets.network().await?.next_hops().add(&hop)).await?),
            Self::ReplaceNextHop { hop } => json(&Box::pin(sockets.network().await?.next_hops().replace(&hop)).await?),
            Self::DeleteNextHop { id } => json(&Box::pin(sockets.network().await?.next_hops().delete(id)).await?),
            Self::ListVlans { link } => {
                Box::pin(list_of(sockets, async |network| network.bridge_vlans().list(link.as_ref()).await)).await
            }
            Self::AddVlan { link, vlan } => json(&Box::pin(sockets.bridge_vlans().await?.add(&link, vlan)).await?),
            Self::DeleteVlan { link, vlan } => {
                json(&Box::pin(sockets.bridge_vlans().await?.delete(&link, vlan)).await?)
            }
            Self::GetOffload { link } => Box::pin(get_offload(sockets, link)).await,
            Self::SetOffload { link, changes } => Box::pin(set_offload(sockets, link, *changes)).await,
            Self::ListRules { family } => {
                Box::pin(list_of(sockets, async |network| network.rules().list(family).await)).await
            }
            Self::AddRule { rule } => json(&Box::pin(sockets.rules().await?.add(&rule)).await?),
            Self::DeleteRule { rule } => json(&Box::pin(sockets.rules().await?.delete(&rule)).await?),
            Self::ListNeighbours { link } => Box::pin(list_neighbours(sockets, link, caller)).await,
            Self::AddNeighbour { link, neighbour } => {
                json(&Box::pin(sockets.neighbours().await?.add(&link, &neighbour)).await?)
            }
            Self::ReplaceNeighbour { link, neighbour } => {
                json(&Box::pin(sockets.neighbours().await?.replace(&link, &neighbour)).await?)
            }
            Self::DeleteNeighbour { link, neighbour } => {
                json(&Box::pin(sockets.neighbours().await?.delete(&link, &neighbour)).await?)
            }
            Self::ListForwardingEntries { .. }
            | Self::AddForwardingEntry { .. }
            | Self::AppendForwardingEntry { .. }
            | Self::ReplaceForwardingEntry { .. }
            | Self::DeleteForwardingEntry { .. } => Box::pin(self.perform_on_forwarding_entries(sockets, caller)).await,
            Self::ListQdiscs { .. }
            | Self::AddQdisc { .. }
            | Self::ReplaceQdisc { .. }
            | Self::DeleteQdisc { .. }
            | Self::ListClasses { .. }
            | Self::AddClass { .. }
            | Self::ReplaceClass { .. }
            | Self::DeleteClass { .. }
            | Self::ListFilters { .. }
            | Self::AddFilter { .. }
            | Self::ReplaceFilter { .. }
            | Self::DeleteFilter { .. } => Box::pin(self.perform_on_queueing(sockets)).await,
        }
    }

    /// Runs an operation on the forwarding entries of bridges and vxlan.
    async fn perform_on_forwarding_entries(self, sockets: &Sockets, caller: Caller<'_>) -> Result<String, Failure> {
        match self {
            Self::ListForwardingEntries { link } => Box::pin(list_entries(sockets, link, caller)).await,
            Self::AddForwardingEntry { link, entry } => {
                json(&sockets.forwarding_entries().await?.add(&link, &entry).await?)
            }
            Self::AppendForwardingEntry { link, entry } => {
                json(&sockets.forwarding_entries().await?.append(&link, &entry).await?)
            }
            Self::ReplaceForwardingEntry { link, entry } => {
                json(&sockets.forwarding_entries().await?.replace(&link, &entry).await?)
            }
            Self::DeleteForwardingEntry { link, entry } => {
                json(&sockets.forwarding_entries().await?.delete(&link, &entry).await?)
            }
            // The caller passes on only these.
            _ => Err(not_ready().into()),
        }
    }

    /// Runs an operation on queueing disciplines, their classes and filters.
    async fn perform_on_queueing(self, sockets: &Sockets) -> Result<String, Failure> {
        match self {
            Self::ListQdiscs { link } => {
                Box::pin(list_of(sockets, async |network| network.qdiscs().list(link.as_ref()).await)).await
            }
            Self::AddQdisc { link, spec } => json(&sockets.qdiscs().await?.add(&link, &spec).await?),
            Self::ReplaceQdisc { link, spec } => json(&sockets.qdiscs().await?.replace(&link, &spec).await?),
            Self::DeleteQdisc { link, place } => json(&sockets.qdiscs().await?.delete(&link, &place).await?),
            Self::ListClasses { link } => {
                Box::pin(list_of(sockets, async |network| network.classes().list(link.as_ref()).await)).await
            }
            Self::AddClass { link, spec } => json(&sockets.network().await?.classes().add(&link, &spec).await?),
            Self::ReplaceClass { link, spec } => json(&sockets.network().await?.classes().replace(&link, &spec).await?),
            Self::DeleteClass { link, handle } => {
                json(&sockets.network().await?.classes().delete(&link, handle).await?)
            }
            Self::ListFilters { link, parent } => {
                Box::pin(list_of(sockets, async |network| network.filters().list(&link, parent).await)).await
            }
            Self::AddFilter { link, spec } => json(&sockets.network().await?.filters().add(&link, &spec).await?),
            Self::ReplaceFilter { link, spec } => {
                json(&sockets.network().await?.filters().replace(&link, &spec).await?)
            }
            Self::DeleteFilter { link, place, kind } => {
                json(&sockets.network().await?.filters().delete(&link, &place, kind.as_deref()).await?)
            }
            // The caller passes on only these.
            _ => Err(not_ready().into()),
        }
    }

    /// Runs an operation on the packet filter.
    async fn perform_on_firewall(self, sockets: &Sockets) -> Result<String, Failure> {
        let firewall = sockets.firewall().await?;
        match self {
            Self::ListTables {} => json(&Box::pin(firewall.list()).await?),
            Self::GetTable { table } => json(&Box::pin(firewall.get(&table)).await?),
            Self::ReplaceTable { table } => json(&Box::pin(firewall.replace(&table)).await?),
            Self::CountTable { table } => json(&Box::pin(firewall.counters(&table)).await?),
            Self::AddElements { table, set, elements } => {
                json(&Box::pin(firewall.add_elements(&table, &set, &elements)).await?)
            }
            Self::DeleteElements { table, set, elements } => {
                json(&Box::pin(firewall.delete_elements(&table, &set, &elements)).await?)
            }
            Self::DeleteTable { table, force } => json(&Box::pin(firewall.delete(&table, force)).await?),
            // The caller passes on only these.
            _ => Err(not_ready().into()),
        }
    }
}
