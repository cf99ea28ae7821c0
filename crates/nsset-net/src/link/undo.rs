//! How a link becomes again as it was.

use super::{changes::LinkChanges, kept::Kept, link::Link};
use crate::{address::AddressSpec, network::Network};

/// What makes a link as it was before it was changed.
#[derive(Clone, Debug)]
pub(super) struct Undo {
    pub before: Link,
    pub changes: LinkChanges,
    /// Addresses that it did not have.
    pub added: Vec<AddressSpec>,
    pub kept: Option<Kept>,
}

impl Undo {
    /// Does it, as far as the kernel lets it: there is an error already.
    pub async fn undo(&self, network: &Network) {
        let (links, link) = (network.links(), self.before.reference());
        network.addresses().delete_all(self.before.index, &link, &self.added).await;
        // The kernel keeps the changes it has made before one failed: do_setlink() of net/core/rtnetlink.c.
        if self.changes.count() > 0 && links.request_change(&link, &link, &self.changes).await.is_err() {
            let _ = links.request_change(&link, &link, &LinkChanges::only_up(self.before.up)).await;
        }
        if let Some(kept) = &self.kept {
            kept.restore(network).await;
        }
    }
}
