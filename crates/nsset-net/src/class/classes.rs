//! The operations on classes.

use std::collections::BTreeSet;

use nix::errno::Errno;

use super::class::{Class, ClassSpec};
use crate::{
    error::{NetlinkError, Result},
    link_ref::LinkRef,
    netlink::message::Message,
    netlink::request::Request,
    netlink::socket::Group,
    network::Network,
    qdisc::{Handle, tc_message},
};

/// The classes of a network.
#[derive(Clone, Copy, Debug)]
pub struct Classes<'a> {
    network: &'a Network,
}

impl Network {
    pub const fn classes(&self) -> Classes<'_> {
        Classes { network: self }
    }
}

impl Classes<'_> {
    /// Lists the classes of a link, or of all links. Fails with `EAGAIN` if they keep changing while they are listed.
    pub async fn list(&self, link: Option<&LinkRef>) -> Result<Vec<Class>> {
        let links = self.network.links();
        let Some(link) = link else {
            return self.of_all().await;
        };
        let index = links.get(link).await?.index;
        self.of(index).await.map_err(|error| error.of("RTM_GETTCLASS", format_args!("of link {link}")))
    }

    async fn of_all(&self) -> Result<Vec<Class>> {
        let qdiscs = self.network.qdiscs().list(None).await?;
        // A link needs a request of its own, and most have no classes.
        let links: BTreeSet<u32> =
            qdiscs.into_iter().filter(|qdisc| qdisc.kind.name() != "noqueue").map(|qdisc| qdisc.link).collect();
        let mut classes = Vec::new();
        for link in links {
            match self.of(link).await {
                // The link was deleted meanwhile.
                Err(error) if error.errno == Errno::ENODEV => {}
                outcome => {
                    let target = format_args!("of link {}", LinkRef::Index(link));
                    classes.extend(outcome.map_err(|error| error.of("RTM_GETTCLASS", target))?);
                }
            }
        }
        Ok(classes)
    }

    async fn of(&self, link: u32) -> std::result::Result<Vec<Class>, NetlinkError> {
        let request = Request::dump(tc_message(libc::RTM_GETTCLASS, link, Handle::NONE, 0, 0));
        let read = |message: &[u8]| Class::read(message).map(Some);
        self.network.dump_unchanged(request, &read, &[Group::Tc]).await
    }

    /// Adds a class.
    pub async fn add(&self, link: &LinkRef, spec: &ClassSpec) -> Result<()> {
        self.make(link, spec, Request::create).await
    }

    /// Adds a class, or changes the one with the same handle.
    pub async fn replace(&self, link: &LinkRef, spec: &ClassSpec) -> Result<()> {
        self.make(link, spec, Request::replace).await
    }

    /// Deletes a class.
    pub async fn delete(&self, link: &LinkRef, handle: Handle) -> Result<()> {
        let index = self.network.links().index(link).await?;
        let message = tc_message(libc::RTM_DELTCLASS, index, Handle::NONE, handle.to_u32(), 0);
        let outcome = self.network.conversation().act(Request::act(message)).await;
        outcome.map_err(|error| error.of("RTM_DELTCLASS", format_args!("{handle} of link {link}")))
    }

    async fn make(&self, link: &LinkRef, spec: &ClassSpec, request: fn(Message) -> Request) -> Result<()> {
        let index = self.network.links().index(link).await?;
        let mut message = tc_message(libc::RTM_NEWTCLASS, index, spec.parent, spec.handle.to_u32(), 0);
        message.attributes.put_text(libc::TCA_KIND, spec.kind.name());
        if let Some(options) = spec.kind.options() {
            message.attributes.put(libc::TCA_OPTIONS, &options);
        }
        let outcome = self.network.conversation().act(request(message)).await;
        outcome.map_err(|error| error.of("RTM_NEWTCLASS", format_args!("{} of link {link}", spec.handle)))
    }
}
