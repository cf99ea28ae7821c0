//! The operations on a network. They come from JavaScript as plain data, with the names of the TypeScript API.

use std::{os::fd::AsFd, sync::Arc};

use futures_util::FutureExt;
use nix::errno::Errno;
use nsset::SystemError;
use nsset_net::{
    AddressSpec, BridgeVlanSpec, ClassSpec, ConnectionFilter, ConnectionRef, Family, FilterParent, FilterPlace,
    FilterSpec, ForwardingEntrySpec, Handle, LinkChanges, LinkKind, LinkRef, LinkSpec, LinkState, Listed,
    NeighbourSpec, Network, NextHopObjectSpec, Offload, QdiscPlace, QdiscSpec, RouteLookup, RouteSpec, Rule,
    SocketFilter, VethPeer, WireGuardSpec,
    firewall::{SetElement, Table, TableRef},
};
use serde::{Deserialize, Serialize};
use tokio::task::yield_now;

use crate::{
    network::{
        endpoints,
        inside::{Inside, open},
        list::{ListWriter, list},
        new_address::{Addition, NewAddress},
        outcome::{self, PromisedResults, Results},
        parts::NativeOutcome,
        sockets::Sockets,
        sysctl_links,
    },
    network_thread::{abandonment::Abandonment, failure::Failure, waiting::ABANDONMENT},
};

/// Written as `{ "links.get": { … } }`: serde reads a value whose name comes first without keeping it.
#[derive(Debug, Deserialize)]
enum Operation {
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

/// Either one of a list, or those that match.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConnectionsToDelete {
    connection: Option<Box<ConnectionRef>>,
    filter: Option<Box<ConnectionFilter>>,
}

/// The index of another network in the request's list.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Other(usize);

#[derive(Debug, Deserialize)]
struct NewLink {
    #[serde(flatten)]
    spec: LinkSpec,
    /// The network to create the link in, if not the same one.
    network: Option<Other>,
    peer: Option<NewPeer>,
}

#[derive(Debug, Deserialize)]
struct NewPeer {
    name: Option<String>,
    index: Option<u32>,
    #[serde(rename = "netnsId")]
    netns_id: Option<i32>,
    /// The network to create the peer in, if not the same one.
    network: Option<Other>,
    #[serde(flatten)]
    state: LinkState,
}

/// After this many operations, requests about other networks get their turn.
const TURN: usize = 16;

/// Runs the operations of a request until it is abandoned, and settles its promise. Must be called on the thread of networks.
pub async fn run(
    operations: &str,
    inside: &Inside,
    others: &[Inside],
    abandonment: &Arc<Abandonment>,
    promised: PromisedResults,
) {
    let work = async {
        let operations = parse(operations)?;
        let count = operations.len();
        for (done, operation) in operations.into_iter().enumerate() {
            if abandonment.has_happened() {
                break;
            }
            let caller = Caller { promised: Some(&promised), is_last: done + 1 == count };
            promised.push(&operation.perform(&*open(inside)?, others, caller).await?);
            if done % TURN == TURN - 1 {
                yield_now().await;
            }
        }
        Ok(())
    };
    let outcome = match ABANDONMENT.scope(Arc::clone(abandonment), work).await {
        // The outcome is the same as if the request had been abandoned before that operation.
        Err(Failure::Set(nsset::Error::Aborted)) => Ok(()),
        outcome => outcome,
    };
    promised.end(outcome);
}

/// Runs the operations of a request on the calling thread, which waits for the kernel and for processes inside. The sockets must
/// be blocking.
pub fn run_blocking(operations: &str, inside: &Inside, others: &[Inside]) -> Option<NativeOutcome> {
    let mut results = Results::new();
    let work = async {
        for operation in parse(operations)? {
            let caller = Caller { promised: None, is_last: false };
            results.push(&operation.perform(&*open(inside)?, others, caller).await?);
        }
        Ok(())
    };
    // A future over blocking sockets is ready when it is first polled.
    let outcome = work.now_or_never().unwrap_or_else(|| Err(not_ready().into()));
    results.end(outcome)
}

/// Who waits for an operation.
#[derive(Clone, Copy)]
struct Caller<'a> {
    /// The results with a promise, if the calling thread does not wait itself.
    promised: Option<&'a PromisedResults>,
    is_last: bool,
}

impl Caller<'_> {
    /// The results for the last operation, with which another thread can settle the promise.
    fn last(self) -> Option<PromisedResults> {
        self.promised.filter(|_| self.is_last).cloned()
    }
}

fn parse(operations: &str) -> Result<Vec<Operation>, Failure> {
    serde_json::from_str(operations).map_err(|error| unreadable(&error))
}

/// The error of a request that would have to wait without blocking its thread, which is a bug of nsset.
fn not_ready() -> nsset::Error {
    SystemError::new(Errno::ECANCELED, "request").into()
}

/// The error of operations that cannot be parsed. The TypeScript API checks them, so this is a bug of nsset. The message does not
/// quote the text, which may contain a key.
fn unreadable(error: &serde_json::Error) -> Failure {
    let place = format!("operations cannot be read at {}:{}", error.line(), error.column());
    nsset::Error::InvalidArgument(place).into()
}

impl Operation {
    /// Runs the operation and returns its result as JSON. If another thread runs the last operation, that thread settles the
    /// promise.
    ///
    /// Each future has its own box: without, every request would be as large as the largest of them, which is 7 KB.
    async fn perform(self, sockets: &Sockets, others: &[Inside], caller: Caller<'_>) -> Result<String, Failure> {
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

async fn list_sockets(sockets: &Sockets, filter: SocketFilter) -> Result<String, Failure> {
    list(&sockets.diag().await?.list(&filter).await?)
}

async fn destroy_sockets(sockets: &Sockets, filter: SocketFilter) -> Result<String, Failure> {
    json(&sockets.diag().await?.destroy(&filter).await?)
}

async fn list_connections(sockets: &Sockets, filter: ConnectionFilter) -> Result<String, Failure> {
    list(&sockets.conntrack().await?.list(&filter).await?)
}

async fn delete_connections(sockets: &Sockets, which: ConnectionsToDelete) -> Result<String, Failure> {
    let conntrack = sockets.conntrack().await?;
    if let Some(connection) = which.connection {
        return json(&conntrack.delete(&connection).await?);
    }
    json(&conntrack.delete_matching(&which.filter.unwrap_or_default()).await?)
}

async fn flush_connections(sockets: &Sockets) -> Result<String, Failure> {
    json(&sockets.conntrack().await?.flush().await?)
}

async fn count_connections(sockets: &Sockets) -> Result<String, Failure> {
    json(&sockets.conntrack().await?.statistics().await?)
}

async fn get_wireguard(sockets: &Sockets, link: LinkRef) -> Result<String, Failure> {
    let index = sockets.links().await?.index(&link).await?;
    let mut device = sockets.wireguards().await?.get(index, &link).await?;
    endpoints::name_links(sockets, &mut device).await?;
    json(&device)
}

async fn get_offload(sockets: &Sockets, link: LinkRef) -> Result<String, Failure> {
    let index = sockets.links().await?.get(&link).await?.index;
    json(&sockets.offloads().await?.get(index, &link).await?)
}

async fn set_offload(sockets: &Sockets, link: LinkRef, changes: Offload) -> Result<String, Failure> {
    let index = sockets.links().await?.get(&link).await?.index;
    json(&sockets.offloads().await?.set(index, &link, &changes).await?)
}

async fn set_wireguard(sockets: &Sockets, link: LinkRef, mut spec: WireGuardSpec) -> Result<String, Failure> {
    endpoints::find_links(sockets, &mut spec).await?;
    let index = sockets.links().await?.index(&link).await?;
    json(&sockets.wireguards().await?.set(index, &link, &spec).await?)
}

async fn add_link(sockets: &Sockets, new: NewLink, others: &[Inside]) -> Result<String, Failure> {
    let spec = new.complete(others).await?;
    match spec.kind {
        LinkKind::Tun(_) => json(&sockets.links().await?.add_tun(&spec, sockets.tun().await?).await?),
        _ => json(&sockets.links().await?.add(&spec).await?),
    }
}

async fn move_link(
    sockets: &Sockets,
    link: &LinkRef,
    there: &Sockets,
    name: Option<String>,
) -> Result<String, Failure> {
    let links = sockets.links().await?;
    match name {
        Some(name) => json(&links.move_as(link, there.network().await?, &name).await?),
        None => json(&links.move_to(link, there.namespace()?.as_fd()).await?),
    }
}

async fn ensure_link(sockets: &Sockets, new: NewLink, others: &[Inside]) -> Result<String, Failure> {
    let spec = new.complete(others).await?;
    match spec.kind {
        LinkKind::Tun(_) => json(&sockets.links().await?.ensure_tun(&spec, sockets.tun().await?).await?),
        _ => json(&sockets.links().await?.ensure(&spec).await?),
    }
}

async fn get_peer(sockets: &Sockets, link: &LinkRef, networks: &[Other], others: &[Inside]) -> Result<String, Failure> {
    let networks = networks_of(networks, others).await?;
    json(&sockets.links().await?.peer(link, &networks).await?)
}

async fn get_id(sockets: &Sockets, other: &Sockets) -> Result<String, Failure> {
    json(&sockets.network().await?.ids().get(other.network().await?).await?)
}

async fn set_id(sockets: &Sockets, other: &Sockets, id: Option<i32>) -> Result<String, Failure> {
    json(&sockets.network().await?.ids().set(other.network().await?, id).await?)
}

/// Returns which of the networks has the id.
async fn find_id(sockets: &Sockets, id: i32, networks: &[Other], others: &[Inside]) -> Result<String, Failure> {
    let ids = sockets.network().await?.ids();
    for (at, network) in networks_of(networks, others).await?.iter().enumerate() {
        if ids.get(network).await? == Some(id) {
            return json(&Some(at));
        }
    }
    json(&None::<usize>)
}

/// Marks a list as one that the kernel never sent without changes in between.
fn approximation(list: &str) -> String {
    format!(r#"{{"consistent":false,"items":{list}}}"#)
}

/// Lists objects. If they change so often that no list is exact, the result is an approximation.
async fn list_of<T: Listed>(
    sockets: &Sockets,
    objects: impl AsyncFn(&Network) -> nsset_net::Result<Vec<T>>,
) -> Result<String, Failure> {
    let network = sockets.network().await?;
    match objects(network).await {
        Err(error) if error.errno() == Some(Errno::EAGAIN) => {
            Ok(approximation(&list(&objects(&network.tolerant()).await?)?))
        }
        outcome => list(&outcome?),
    }
}

async fn list_links(sockets: &Sockets, caller: Caller<'_>) -> Result<String, Failure> {
    let each = async |network: &Network, list: &mut ListWriter<'_>| network.links().each(|link| list.add(&link)).await;
    list_each(sockets, caller, each, async |network| network.links().list().await).await
}

async fn list_routes(sockets: &Sockets, table: Option<u32>, caller: Caller<'_>) -> Result<String, Failure> {
    let each = async |network: &Network, list: &mut ListWriter<'_>| {
        network.routes().each(table, |route| list.add(&route)).await
    };
    list_each(sockets, caller, each, async |network| network.routes().list(table).await).await
}

async fn list_neighbours(sockets: &Sockets, link: Option<LinkRef>, caller: Caller<'_>) -> Result<String, Failure> {
    let link = link.as_ref();
    let each = async |network: &Network, list: &mut ListWriter<'_>| {
        network.neighbours().each(link, |neighbour| list.add(&neighbour)).await
    };
    list_each(sockets, caller, each, async |network| network.neighbours().list(link).await).await
}

async fn list_entries(sockets: &Sockets, link: Option<LinkRef>, caller: Caller<'_>) -> Result<String, Failure> {
    let link = link.as_ref();
    let each = async |network: &Network, list: &mut ListWriter<'_>| {
        network.forwarding_entries().each(link, |entry| list.add(&entry)).await
    };
    list_each(sockets, caller, each, async |network| network.forwarding_entries().list(link).await).await
}

/// Sends objects as the kernel lists them. If they change meanwhile, lists them again.
async fn list_each<T: Listed>(
    sockets: &Sockets,
    caller: Caller<'_>,
    each: impl AsyncFn(&Network, &mut ListWriter<'_>) -> nsset_net::Result<bool>,
    objects: impl AsyncFn(&Network) -> nsset_net::Result<Vec<T>>,
) -> Result<String, Failure> {
    let mut list = ListWriter::new(caller.promised);
    if each(sockets.network().await?, &mut list).await? {
        return list.end();
    }
    Box::pin(list_of(sockets, objects)).await
}

impl NewLink {
    /// Returns the link to create, with its network and that of its peer.
    async fn complete(self, others: &[Inside]) -> Result<LinkSpec, Failure> {
        let home = network_of(self.network, others).await?;
        let peer = match self.peer {
            Some(NewPeer { name, index, netns_id, network, state }) => {
                Some(VethPeer { name, index, netns_id, network: network_of(network, others).await?, state })
            }
            None => None,
        };
        Ok(LinkSpec { home, peer, ..self.spec })
    }
}

async fn network_of(other: Option<Other>, others: &[Inside]) -> Result<Option<Network>, Failure> {
    match other {
        Some(other) => Ok(Some(other.open(others)?.network().await?.clone())),
        None => Ok(None),
    }
}

async fn networks_of(networks: &[Other], others: &[Inside]) -> Result<Vec<Network>, Failure> {
    let mut opened = Vec::with_capacity(networks.len());
    for network in networks {
        opened.push(network.open(others)?.network().await?.clone());
    }
    Ok(opened)
}

impl Other {
    fn open(self, others: &[Inside]) -> nsset::Result<Arc<Sockets>> {
        open(others.get(self.0).ok_or(nsset::Error::Closed)?)
    }
}

fn json<T: Serialize>(result: &T) -> Result<String, Failure> {
    Ok(outcome::json(result)?)
}
