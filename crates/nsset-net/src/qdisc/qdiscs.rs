//! What can be done with queueing disciplines.

use netlink_packet_core::DefaultNla;
use netlink_packet_route::{
    RouteNetlinkMessage,
    tc::{TcAttribute, TcMessage},
};

use serde::Deserialize;

use super::{handle::Handle, kind::QdiscKind, qdisc::Qdisc};
use crate::{error::Result, link_ref::LinkRef, network::Network, request::Request};

/// A queueing discipline that is to be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct QdiscSpec {
    #[serde(flatten)]
    pub kind: QdiscKind,
    /// Where it is to be: [`Handle::ROOT`], or a class of another one.
    #[serde(default = "Handle::root")]
    pub parent: Handle,
    /// [`Handle::NONE`] has the kernel find one.
    #[serde(default = "Handle::none")]
    pub handle: Handle,
}

impl QdiscSpec {
    /// The first that a packet gets to.
    pub const fn root(kind: QdiscKind) -> Self {
        Self { kind, parent: Handle::ROOT, handle: Handle::NONE }
    }
}

/// The queueing disciplines of a network.
#[derive(Clone, Copy, Debug)]
pub struct Qdiscs<'a> {
    network: &'a Network,
}

impl<'a> Qdiscs<'a> {
    pub(crate) const fn of(network: &'a Network) -> Self {
        Self { network }
    }

    /// Those of this link, or all.
    pub async fn list(&self, link: Option<&LinkRef>) -> Result<Vec<Qdisc>> {
        let index = match link {
            // The kernel knows no filter, and so nothing of a link that is not there.
            Some(link) => Some(self.network.links().get(link).await?.index),
            None => None,
        };
        let request = Request::dump(RouteNetlinkMessage::GetQueueDiscipline(TcMessage::default()));
        let is_wanted = |qdisc: &Qdisc| index.is_none_or(|index| qdisc.link == index);
        let read = |message: &[u8]| Qdisc::read(message).map(|qdisc| Some(qdisc).filter(is_wanted));
        let qdiscs = self.network.conversation().dump(request, read).await;
        qdiscs.map_err(|refusal| refusal.of("RTM_GETQDISC", ""))
    }

    /// Adds one where there is none but the kernel's own.
    pub async fn add(&self, link: &LinkRef, spec: &QdiscSpec) -> Result<()> {
        self.make(link, spec, Request::create).await
    }

    /// Puts one in the place of the one that is there, or changes that one where it is of the same kind.
    pub async fn replace(&self, link: &LinkRef, spec: &QdiscSpec) -> Result<()> {
        self.make(link, spec, Request::replace).await
    }

    /// Takes away the one with this parent: [`Handle::ROOT`] for the first.
    pub async fn delete(&self, link: &LinkRef, parent: Handle) -> Result<()> {
        let index = self.network.links().index(link).await?;
        let request = Request::act(RouteNetlinkMessage::DelQueueDiscipline(message(index, parent)));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|refusal| refusal.of("RTM_DELQDISC", format_args!("{parent} of link {link}")))
    }

    async fn make(&self, link: &LinkRef, spec: &QdiscSpec, request: fn(RouteNetlinkMessage) -> Request) -> Result<()> {
        spec.kind.check()?;
        let index = self.network.links().index(link).await?;
        let mut message = message(index, spec.parent);
        message.header.handle = spec.handle.to_u32().into();
        message.attributes.push(TcAttribute::Kind(spec.kind.name().into()));
        let options = spec.kind.options().map(|options| DefaultNla::new(libc::TCA_OPTIONS, options));
        message.attributes.extend(options.map(TcAttribute::Other));
        let request = request(RouteNetlinkMessage::NewQueueDiscipline(message));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|refusal| {
            let target = format_args!("{} of link {link}", spec.parent);
            refusal.of_kind("RTM_NEWQDISC", target, spec.kind.name())
        })
    }
}

fn message(index: u32, parent: Handle) -> TcMessage {
    let mut message = TcMessage::with_index(index as i32);
    message.header.parent = parent.to_u32().into();
    message
}
