//! Undoes the changes to a link.

use super::{changes::LinkChanges, kept::Kept, link::Link};
use crate::{address::AddressSpec, network::Network};

/// The data to restore the previous state of a link.
#[derive(Clone, Debug)]
pub(super) struct Undo {
    pub before: Link,
    pub changes: LinkChanges,
    /// The addresses that were added.
    pub added: Vec<AddressSpec>,
    pub kept: Option<Kept>,
}

impl Undo {
    /// Restores the state. This ignores errors, because the caller already has one to report.
    pub async fn undo(&self, network: &Network) {
        let (links, link) = (network.links(), self.before.reference());
        network.addresses().delete_all(self.before.index, &link, &self.added).await;
        // If one change of a request fails, the kernel keeps the earlier ones: do_setlink() of net/core/rtnetlink.c.
        if self.changes.count() > 0 && links.request_change(&link, &link, &self.changes).await.is_err() {
            let _ = links.request_change(&link, &link, &LinkChanges::only_up(self.before.up)).await;
        }
        if self.changes.needs_more() {
            let _ = Box::pin(links.request_more(self.before.index, &link, &self.changes)).await;
        }
        if let Some(kept) = &self.kept {
            kept.restore(network).await;
        }
    }
}
