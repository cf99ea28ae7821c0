//! The operations on a network as they come from JavaScript: plain data, named as in the face.

use std::{os::fd::AsFd, sync::Arc};

use nsset_net::{
    AddressSpec, Handle, LinkChanges, LinkKind, LinkRef, LinkSpec, LinkState, QdiscSpec, RouteSpec, VethPeer,
};
use serde::{Deserialize, Serialize};

use super::{Inside, answer::Reply, failure::Failure, open, sockets::Sockets};

#[derive(Debug, Deserialize)]
#[serde(tag = "operation")]
enum Operation {
    #[serde(rename = "links.list")]
    ListLinks,
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
    MoveLink { link: LinkRef, network: Other },
    #[serde(rename = "addresses.list")]
    ListAddresses { link: Option<LinkRef> },
    #[serde(rename = "addresses.add")]
    AddAddress { link: LinkRef, address: AddressSpec },
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
    #[serde(rename = "qdiscs.list")]
    ListQdiscs { link: Option<LinkRef> },
    #[serde(rename = "qdiscs.add")]
    AddQdisc { link: LinkRef, spec: QdiscSpec },
    #[serde(rename = "qdiscs.replace")]
    ReplaceQdisc { link: LinkRef, spec: QdiscSpec },
    #[serde(rename = "qdiscs.delete")]
    DeleteQdisc { link: LinkRef, parent: Handle },
}

/// The number of another network that came with the request.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Other(usize);

#[derive(Debug, Deserialize)]
struct NewLink {
    #[serde(flatten)]
    spec: LinkSpec,
    peer: Option<NewPeer>,
}

#[derive(Debug, Deserialize)]
struct NewPeer {
    name: Option<String>,
    /// Where it is made, if not in the same network.
    network: Option<Other>,
    #[serde(flatten)]
    state: LinkState,
}

/// Carries out a request, and replies to it.
pub async fn run(operations: &str, inside: &Inside, others: &[Inside], mut reply: Reply) {
    let outcome = carry_out(operations, inside, others, &mut reply).await;
    reply.end(outcome);
}

async fn carry_out(operations: &str, inside: &Inside, others: &[Inside], reply: &mut Reply) -> Result<(), Failure> {
    let operations: Vec<Operation> = serde_json::from_str(operations).map_err(|error| misunderstood(&error))?;
    for operation in operations {
        let sockets = open(inside)?;
        reply.push(&operation.perform(&sockets, others).await?);
    }
    Ok(())
}

/// The face has checked what it sends, so this is a mistake of ours. Nothing of the text is told: it may hold a key.
fn misunderstood(error: &serde_json::Error) -> Failure {
    let place = format!("operations cannot be read at {}:{}", error.line(), error.column());
    nsset::Error::InvalidArgument(place).into()
}

impl Operation {
    /// Answers with the result as JSON.
    async fn perform(self, sockets: &Sockets, others: &[Inside]) -> Result<String, Failure> {
        let network = sockets.network().await?;
        match self {
            Self::ListLinks => json(&network.links().list().await?),
            Self::GetLink { link } => json(&network.links().get(&link).await?),
            Self::AddLink { spec } => {
                let spec = spec.complete(others).await?;
                match spec.kind {
                    LinkKind::Tun(_) => json(&network.links().add_tun(&spec, sockets.tun()?).await?),
                    _ => json(&network.links().add(&spec).await?),
                }
            }
            Self::EnsureLink { spec } => json(&network.links().ensure(&spec.complete(others).await?).await?),
            Self::SetLink { link, changes } => json(&network.links().set(&link, &changes).await?),
            Self::DeleteLink { link, force } => json(&network.links().delete(&link, force).await?),
            Self::MoveLink { link, network: other } => {
                let there = other.open(others)?;
                json(&network.links().move_to(&link, there.namespace()?.as_fd()).await?)
            }
            Self::ListAddresses { link } => json(&network.addresses().list(link.as_ref()).await?),
            Self::AddAddress { link, address } => json(&network.addresses().add(&link, &address).await?),
            Self::DeleteAddress { link, address } => json(&network.addresses().delete(&link, &address).await?),
            Self::ListRoutes { table } => json(&network.routes().list(table).await?),
            Self::AddRoute { route } => json(&network.routes().add(&route).await?),
            Self::ReplaceRoute { route } => json(&network.routes().replace(&route).await?),
            Self::DeleteRoute { route } => json(&network.routes().delete(&route).await?),
            Self::ListQdiscs { link } => json(&network.qdiscs().list(link.as_ref()).await?),
            Self::AddQdisc { link, spec } => json(&network.qdiscs().add(&link, &spec).await?),
            Self::ReplaceQdisc { link, spec } => json(&network.qdiscs().replace(&link, &spec).await?),
            Self::DeleteQdisc { link, parent } => json(&network.qdiscs().delete(&link, parent).await?),
        }
    }
}

impl NewLink {
    /// The whole of it, with the network of the peer.
    async fn complete(self, others: &[Inside]) -> Result<LinkSpec, Failure> {
        let Some(NewPeer { name, network, state }) = self.peer else { return Ok(self.spec) };
        let network = match network {
            Some(other) => Some(other.open(others)?.network().await?.clone()),
            None => None,
        };
        Ok(LinkSpec { peer: Some(VethPeer { name, network, state }), ..self.spec })
    }
}

impl Other {
    fn open(self, others: &[Inside]) -> nsset::Result<Arc<Sockets>> {
        open(others.get(self.0).ok_or(nsset::Error::Closed)?)
    }
}

fn json<T: Serialize>(result: &T) -> Result<String, Failure> {
    serde_json::to_string(result).map_err(|error| nsset::Error::InvalidArgument(error.to_string()).into())
}
