//! The operations on queueing disciplines.

use netlink_packet_core::DefaultNla;
use netlink_packet_route::{
    RouteNetlinkMessage,
    tc::{TcAttribute, TcMessage},
};
use serde::Deserialize;

use super::{handle::Handle, kinds::QdiscKind, qdisc::Qdisc};
use crate::{
    error::Result, link_ref::LinkRef, netlink::message::Message, netlink::request::Request, netlink::socket::Group,
    network::Network,
};

/// The specification of a queueing discipline.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct QdiscSpec {
    #[serde(flatten)]
    pub kind: QdiscKind,
    /// The parent. Default: [`Handle::INGRESS`] for `ingress` and `clsact`, which have no other one, otherwise [`Handle::ROOT`].
    /// It can also be a class of another queueing discipline.
    pub parent: Option<Handle>,
    /// With [`Handle::NONE`] the kernel chooses one.
    #[serde(default = "Handle::none")]
    pub handle: Handle,
}

impl QdiscSpec {
    fn place(&self) -> Handle {
        let place = if self.kind.is_for_ingress() { Handle::INGRESS } else { Handle::ROOT };
        self.parent.unwrap_or(place)
    }
}

/// A reference to the queueing discipline to delete.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct QdiscPlace {
    pub parent: Handle,
    /// The handle; [`Handle::NONE`] matches any.
    #[serde(default = "Handle::none")]
    pub handle: Handle,
    /// The kernel's name of the kind; `None` matches any.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// The queueing disciplines of a network.
#[derive(Clone, Copy, Debug)]
pub struct Qdiscs<'a> {
    network: &'a Network,
}

impl Network {
    pub const fn qdiscs(&self) -> Qdiscs<'_> {
        Qdiscs { network: self }
    }
}

impl Qdiscs<'_> {
    /// Lists the queueing disciplines of a link, or all. Fails with `EAGAIN` if links or queueing disciplines keep changing while
    /// they are listed.
    pub async fn list(&self, link: Option<&LinkRef>) -> Result<Vec<Qdisc>> {
        let index = match link {
            // The kernel has no filter by link, and so does not report that the link does not exist.
            Some(link) => Some(self.network.links().get(link).await?.index),
            None => None,
        };
        let request = Request::dump(RouteNetlinkMessage::GetQueueDiscipline(TcMessage::default()));
        let is_wanted = |qdisc: &Qdisc| index.is_none_or(|index| qdisc.link == index);
        let read = |message: &[u8]| Qdisc::read(message).map(|qdisc| Some(qdisc).filter(is_wanted));
        // The kernel continues a dump at the number of links that it has listed, and does not report that the links have changed
        // (tc_dump_qdisc() of net/sched/sch_api.c).
        let qdiscs = self.network.dump_unchanged(request, &read, &[Group::Link, Group::Tc]).await;
        qdiscs.map_err(|error| error.of("RTM_GETQDISC", ""))
    }

    /// Adds a queueing discipline if the parent has only the kernel's default. For `ingress` and `clsact` the request has their
    /// handle: without it the kernel would replace a `clsact` and its filters by an `ingress`, or the reverse (tc_modify_qdisc()
    /// of net/sched/sch_api.c).
    pub async fn add(&self, link: &LinkRef, spec: &QdiscSpec) -> Result<()> {
        if spec.kind.is_for_ingress() && spec.handle == Handle::NONE {
            let spec = QdiscSpec { handle: Handle::OF_INGRESS, ..spec.clone() };
            return self.make(link, &spec, Request::create).await;
        }
        self.make(link, spec, Request::create).await
    }

    /// Replaces the existing queueing discipline, or changes it if it is of the same kind.
    pub async fn replace(&self, link: &LinkRef, spec: &QdiscSpec) -> Result<()> {
        self.make(link, spec, Request::replace).await
    }

    /// Deletes the queueing discipline of a parent, if it has the given handle and kind.
    pub async fn delete(&self, link: &LinkRef, place: &QdiscPlace) -> Result<()> {
        let index = self.network.links().index(link).await?;
        let mut message = message(index, place.parent);
        message.header.handle = place.handle.to_u32().into();
        message.attributes.extend(place.kind.clone().map(TcAttribute::Kind));
        let request = Request::act(RouteNetlinkMessage::DelQueueDiscipline(message));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|error| error.of("RTM_DELQDISC", format_args!("{} of link {link}", place.parent)))
    }

    async fn make(&self, link: &LinkRef, spec: &QdiscSpec, request: fn(RouteNetlinkMessage) -> Request) -> Result<()> {
        let (index, kind) = self.suited(link, &spec.kind).await?;
        let place = spec.place();
        let mut message = message(index, place);
        message.header.handle = spec.handle.to_u32().into();
        message.attributes.push(TcAttribute::Kind(kind.name().into()));
        let options = kind.options().map(|options| DefaultNla::new(libc::TCA_OPTIONS, options));
        message.attributes.extend(options.map(TcAttribute::Other));
        let request = request(RouteNetlinkMessage::NewQueueDiscipline(message));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|error| {
            let target = format_args!("{place} of link {link}");
            error.of_kind("RTM_NEWQDISC", target, kind.name())
        })
    }

    /// Returns the index of the link, and the kind with default values that suit the link.
    async fn suited(&self, link: &LinkRef, kind: &QdiscKind) -> Result<(u32, QdiscKind)> {
        let links = self.network.links();
        if let QdiscKind::Tbf(tbf) = kind
            && tbf.needs_mtu()
        {
            kind.check()?;
            let link = links.get(link).await?;
            let kind = QdiscKind::Tbf(tbf.for_mtu(link.mtu));
            kind.check()?;
            return Ok((link.index, kind));
        }
        kind.check()?;
        Ok((links.index(link).await?, kind.clone()))
    }
}

fn message(index: u32, parent: Handle) -> TcMessage {
    let mut message = TcMessage::with_index(index as i32);
    message.header.parent = parent.to_u32().into();
    message
}

/// Starts a message with `struct tcmsg` of rtnetlink(7), about a class or a filter.
pub(crate) fn tc_message(kind: u16, link: u32, parent: Handle, handle: u32, info: u32) -> Message {
    let words = [0, link, handle, parent.to_u32(), info];
    Message::new(kind, words.into_iter().flat_map(u32::to_ne_bytes).collect::<Vec<u8>>())
}
