//! What can be done with queueing disciplines.

use netlink_packet_core::DefaultNla;
use netlink_packet_route::{
    RouteNetlinkMessage,
    tc::{TcAttribute, TcMessage},
};
use nix::errno::Errno;
use serde::Deserialize;

use super::{handle::Handle, kind::QdiscKind, qdisc::Qdisc, tbf::Tbf};
use crate::{
    error::{Refusal, Result},
    link_ref::LinkRef,
    netlink::attributes::Malformed,
    netlink::conversation::ATTEMPTS,
    netlink::request::Request,
    netlink::socket::Group,
    network::Network,
};

/// A queueing discipline that is to be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct QdiscSpec {
    #[serde(flatten)]
    pub kind: QdiscKind,
    /// Where it is to be: [`Handle::ROOT`] by default, [`Handle::INGRESS`] for what is there always, or a class of another one.
    pub parent: Option<Handle>,
    /// [`Handle::NONE`] has the kernel find one.
    #[serde(default = "Handle::none")]
    pub handle: Handle,
}

impl QdiscSpec {
    fn place(&self) -> Handle {
        let place = if self.kind.is_for_ingress() { Handle::INGRESS } else { Handle::ROOT };
        self.parent.unwrap_or(place)
    }
}

/// A queueing discipline that is not to be any more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct QdiscPlace {
    pub parent: Handle,
    /// Its own number; any where it is [`Handle::NONE`].
    #[serde(default = "Handle::none")]
    pub handle: Handle,
    /// The kernel's name of its kind; any where there is none.
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
    /// Those of this link, or all. `EAGAIN` where links and they change so much that it cannot be told what there is.
    pub async fn list(&self, link: Option<&LinkRef>) -> Result<Vec<Qdisc>> {
        let index = match link {
            // The kernel knows no filter, and so nothing of a link that is not there.
            Some(link) => Some(self.network.links().get(link).await?.index),
            None => None,
        };
        let request = Request::dump(RouteNetlinkMessage::GetQueueDiscipline(TcMessage::default()));
        let is_wanted = |qdisc: &Qdisc| index.is_none_or(|index| qdisc.link == index);
        let read = |message: &[u8]| Qdisc::read(message).map(|qdisc| Some(qdisc).filter(is_wanted));
        let qdiscs = self.dump(request, &read).await;
        qdiscs.map_err(|refusal| refusal.of("RTM_GETQDISC", ""))
    }

    /// The kernel counts links, and does not say that there were others when it went on (tc_dump_qdisc() of
    /// net/sched/sch_api.c).
    async fn dump(
        &self,
        mut request: Request,
        read: &(impl Fn(&[u8]) -> std::result::Result<Option<Qdisc>, Malformed> + Sync),
    ) -> std::result::Result<Vec<Qdisc>, Refusal> {
        for _ in 0..ATTEMPTS {
            let conversation = self.network.conversation();
            let dump = conversation.dump_watching(&mut request, read, &[Group::Link, Group::Tc]).await?;
            if !dump.is_interrupted && (!dump.has_changed || dump.parts.len() <= 1) {
                return Ok(dump.into_all());
            }
        }
        Err(Errno::EAGAIN.into())
    }

    /// Adds one where there is none but the kernel's own. Without a handle the kernel would put an `ingress` in the place of a
    /// `clsact`, whose filters would be gone, or the other way round (tc_modify_qdisc() of net/sched/sch_api.c).
    pub async fn add(&self, link: &LinkRef, spec: &QdiscSpec) -> Result<()> {
        if spec.kind.is_for_ingress() && spec.handle == Handle::NONE {
            let spec = QdiscSpec { handle: Handle::OF_INGRESS, ..spec.clone() };
            return self.make(link, &spec, Request::create).await;
        }
        self.make(link, spec, Request::create).await
    }

    /// Puts one in the place of the one that is there, or changes that one where it is of the same kind.
    pub async fn replace(&self, link: &LinkRef, spec: &QdiscSpec) -> Result<()> {
        self.make(link, spec, Request::replace).await
    }

    /// Takes away the one of this place, where it is what is said.
    pub async fn delete(&self, link: &LinkRef, place: &QdiscPlace) -> Result<()> {
        let index = self.network.links().index(link).await?;
        let mut message = message(index, place.parent);
        message.header.handle = place.handle.to_u32().into();
        message.attributes.extend(place.kind.clone().map(TcAttribute::Kind));
        let request = Request::act(RouteNetlinkMessage::DelQueueDiscipline(message));
        let outcome = self.network.conversation().act(request).await;
        outcome.map_err(|refusal| refusal.of("RTM_DELQDISC", format_args!("{} of link {link}", place.parent)))
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
        outcome.map_err(|refusal| {
            let target = format_args!("{place} of link {link}");
            refusal.of_kind("RTM_NEWQDISC", target, kind.name())
        })
    }

    /// The index of the link, and the kind with what suits that link where it was not said.
    async fn suited(&self, link: &LinkRef, kind: &QdiscKind) -> Result<(u32, QdiscKind)> {
        let links = self.network.links();
        if let QdiscKind::Tbf(tbf @ Tbf { burst: None, .. }) = kind {
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
