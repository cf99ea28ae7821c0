//! Finds and writes the id maps of a new user namespace: user_namespaces(7).

use nix::{
    fcntl::OFlag,
    unistd::{Gid, Uid},
};

use crate::{
    cancel::Cancel,
    error::{Error, Result, SystemError},
    helper::step_error,
    id_map::{IdMap, MapUser, Maps, Setgroups, has_host_id, text},
    kind::Kind,
    proc,
    retry::uninterrupted,
    userns::capability::{self, Capability},
    userns::subordinate_ids::{self, IdFile},
};

/// Replaced by the helper with its own id, if the id of the caller inside a set is not known outside.
const OWN_ID: char = '@';

impl Maps {
    /// The maps for a caller with these ids.
    pub fn for_caller(map_user: Option<MapUser>, given: Self) -> Result<Self> {
        let Some(map_user) = map_user else { return Ok(given) };
        let (uid, gid) = (Uid::effective().as_raw(), Gid::effective().as_raw());
        let one = |container_id, host_id| vec![IdMap { container_id, host_id, size: 1 }];
        let (uid, gid) = match map_user {
            MapUser::Root => (one(0, uid), one(0, gid)),
            MapUser::Current => (one(uid, uid), one(gid, gid)),
            MapUser::Id(id) => (one(id, uid), one(id, gid)),
            MapUser::Auto => (subordinate_ids::first_range(IdFile::Uid)?, subordinate_ids::first_range(IdFile::Gid)?),
        };
        Ok(Self { uid, gid, setgroups: given.setgroups })
    }

    /// Whether the caller has its ids inside.
    pub fn has_caller(&self) -> bool {
        has_host_id(&self.uid, Uid::effective().as_raw()) && has_host_id(&self.gid, Gid::effective().as_raw())
    }

    /// Writes the maps of a process that has just unshared its user namespace, from the namespace above.
    pub fn write(&self, pid: i32, cancel: Option<&Cancel>) -> Result<()> {
        let setgroups = self.setgroups.or_else(|| self.must_deny_setgroups().then_some(Setgroups::Deny));
        if let Some(setgroups) = setgroups {
            write_file(pid, "setgroups", setgroups.word())?;
        }
        if !self.uid.is_empty() {
            write_map(pid, IdFile::Uid, &self.uid, cancel)?;
        }
        if !self.gid.is_empty() {
            write_map(pid, IdFile::Gid, &self.gid, cancel)?;
        }
        Ok(())
    }

    /// Without CAP_SETGID the kernel accepts a group map only after setgroups has been denied for good.
    fn must_deny_setgroups(&self) -> bool {
        is_own_id(&self.gid, IdFile::Gid) && !capability::has(Capability::SetGid)
    }
}

/// The texts of `uid_map`, `gid_map` and `setgroups` for a user namespace below that of a set, which the helper writes.
pub fn nested_texts(map_user: Option<MapUser>, given: &Maps) -> Result<[String; 3]> {
    let own = |inside: &str| format!("{inside} {OWN_ID} 1\n");
    let (uid, gid) = match map_user {
        None => (text(&given.uid), text(&given.gid)),
        Some(MapUser::Root) => (own("0"), own("0")),
        Some(MapUser::Current) => (own("@"), own("@")),
        Some(MapUser::Id(id)) => (own(&id.to_string()), own(&id.to_string())),
        Some(MapUser::Auto) => {
            let message =
                "mapUser 'auto' reads /etc/subuid, whose ids have no meaning inside a set; use uidMaps and gidMaps";
            return Err(Error::InvalidArgument(message.into()));
        }
    };
    Ok([uid, gid, given.setgroups.map_or("", Setgroups::word).to_owned()])
}

fn write_map(pid: i32, file: IdFile, maps: &[IdMap], cancel: Option<&Cancel>) -> Result<()> {
    let (capability, name) = match file {
        IdFile::Uid => (Capability::SetUid, "uid_map"),
        IdFile::Gid => (Capability::SetGid, "gid_map"),
    };
    if is_own_id(maps, file) || capability::has(capability) {
        return write_file(pid, name, &text(maps));
    }
    subordinate_ids::write_map(pid, file, maps, cancel)
}

/// The only map that needs no privilege: the id of the caller.
fn is_own_id(maps: &[IdMap], file: IdFile) -> bool {
    matches!(maps, [IdMap { host_id, size: 1, .. }] if *host_id == file.own_id())
}

fn write_file(pid: i32, name: &'static str, content: &str) -> Result<()> {
    // The kernel requires that a map is written by one write(2).
    let written = proc::open_below(format!("{pid}/{name}"), OFlag::O_WRONLY)
        .and_then(|fd| uninterrupted(|| nix::unistd::write(&fd, content.as_bytes())));
    written
        .map(drop)
        .map_err(|errno| SystemError::new(errno, name).kind(Kind::User).hint(step_error::id_map_hint(errno)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_map_leaves_the_callers_id_to_the_helper() {
        let [uid, gid, setgroups] = nested_texts(Some(MapUser::Id(7)), &Maps::default()).unwrap();
        assert_eq!((uid.as_str(), gid.as_str(), setgroups.as_str()), ("7 @ 1\n", "7 @ 1\n", ""));
        assert!(nested_texts(Some(MapUser::Auto), &Maps::default()).is_err());
    }
}
