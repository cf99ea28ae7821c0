//! Changes a link. If one change fails, the others are undone.

use nix::errno::Errno;

use super::{
    changes::{LinkChanges, LinkState, Master},
    kept::Kept,
    link::Link,
    links::Links,
    undo::Undo,
};
use crate::{
    address::AddressSpec,
    error::{NetlinkError, Result},
    link_ref::LinkRef,
};

impl Links<'_> {
    /// Changes the properties of a link that differ from the wanted state.
    pub(super) async fn apply_state(&self, link: &Link, called: &LinkRef, state: &LinkState) -> Result<Undo> {
        let mut changes = LinkChanges { state: state.clone(), ..LinkChanges::default() }.without_those_of(link);
        if self.master(state).await? == Some(link.master.unwrap_or(0)) {
            changes.state.master = None;
        }
        self.change(link, called, &changes).await
    }

    /// Changes a link. If this fails, the link is as it was before.
    pub async fn set(&self, link: &LinkRef, changes: &LinkChanges) -> Result<()> {
        changes.state.check()?;
        if changes.is_one_step() && !matches!(link, LinkRef::Alias(_)) {
            return self.request_change(link, link, changes).await;
        }
        // In a box, because the future of this is many times as large as that of one request.
        Box::pin(async {
            let before = self.get(link).await?;
            self.change(&before, link, changes).await.map(drop)
        })
        .await
    }

    /// Changes a link, or leaves it as it was. Returns the means to undo the changes later.
    async fn change(&self, before: &Link, called: &LinkRef, changes: &LinkChanges) -> Result<Undo> {
        let kept =
            if changes.loses_addresses(before) { Some(Kept::of(self.network, before.index).await?) } else { None };
        let mut undo = Undo { before: before.clone(), changes: changes.undone(before), added: Vec::new(), kept };
        match self.set_for_good(before.index, before.up, called, changes).await {
            Ok(added) => {
                undo.added = added;
                Ok(undo)
            }
            Err(error) => {
                undo.undo(self.network).await;
                Err(error)
            }
        }
    }

    /// Changes a link without undoing changes if a later one fails, except for addresses. Errors refer to the link as `called`.
    /// Returns the added addresses.
    pub(super) async fn set_for_good(
        &self,
        index: u32,
        is_up: bool,
        called: &LinkRef,
        changes: &LinkChanges,
    ) -> Result<Vec<AddressSpec>> {
        let link = &LinkRef::Index(index);
        let rest = changes.but_up();
        match changes.state.up {
            Some(false) if is_up && rest.count() > 0 => self.change_and_bring_down(index, called, &rest).await?,
            // Within one request the kernel brings the link up first, and a bond accepts only links that are down.
            Some(true) if !is_up && matches!(changes.state.master, Some(Master::Link(_))) => {
                self.request_change(link, called, &rest).await?;
                self.request_change(link, called, &LinkChanges::only_up(true)).await?;
            }
            _ if changes.count() > 0 => self.request_change(link, called, changes).await?,
            _ => {}
        }
        if changes.needs_more() {
            // In a box, because the future of this is many times as large as that of one request.
            Box::pin(self.request_more(index, called, changes)).await?;
        }
        self.network.addresses().add_all(index, called, &changes.state.addresses).await
    }

    /// Changes a link that is up, and brings it down. If possible, this makes the other changes first, so that they fail before
    /// the link is down: a link that goes down loses its IPv6 addresses and routes.
    async fn change_and_bring_down(&self, index: u32, called: &LinkRef, rest: &LinkChanges) -> Result<()> {
        let link = &LinkRef::Index(index);
        let down = LinkChanges::only_up(false);
        match self.request_change(link, called, rest).await {
            Ok(()) => return self.request_change(link, called, &down).await,
            // EBUSY: the property cannot be changed while the link is up. EPERM: a bond does not accept a port that is up.
            Err(error) if matches!(error.errno(), Some(Errno::EBUSY | Errno::EPERM)) => {}
            Err(error) => return Err(error),
        }
        if let Some(name) = &rest.name {
            self.ensure_free(name, index, called).await?;
        }
        self.request_change(link, called, &down).await?;
        self.request_change(link, called, rest).await
    }

    /// Returns an error if another link has the name.
    async fn ensure_free(&self, name: &str, index: u32, called: &LinkRef) -> Result<()> {
        match self.get(&LinkRef::Name(name.into())).await {
            Ok(link) if link.index != index => Err(NetlinkError::from(Errno::EEXIST).of("RTM_SETLINK", called)),
            _ => Ok(()),
        }
    }
}
