//! Bind mounts with mapped owners (mount_setattr(2), `MOUNT_ATTR_IDMAP`). Making one needs the privilege over the file
//! system, which the helper has given up when it mounts. So the tree is cloned here, and passed to the helper.

use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;

use crate::{
    error::{Error, Result, SystemError},
    helper::joining,
    helper::program::c_string,
    id_map::Maps,
    kind::Kind,
    mounts::mount_spec::{MountSpec, OwnerMaps},
    mounts::mount_tree,
    namespaces::set::NamespaceSet,
};

/// Makes the maps of the set.
type MapsOfSet<'a> = &'a dyn Fn() -> Result<Maps>;

/// Makes a user namespace with these maps, which nothing is in.
type MakeUsers<'a> = &'a dyn Fn(Maps) -> Result<NamespaceSet>;

/// The detached mounts of those with mapped owners, in order; `None` for one that is skipped.
pub(super) fn make(
    mounts: &[MountSpec],
    base: &NamespaceSet,
    maps_of_set: MapsOfSet<'_>,
    make_users: MakeUsers<'_>,
) -> Result<Vec<Option<OwnedFd>>> {
    let mapped = mounts.iter().filter_map(|mount| Some((mount, mount.id_map.as_ref()?)));
    mapped.map(|(mount, owners)| one(mount, base, &|| make_users(maps_of(owners, maps_of_set)?))).collect()
}

fn maps_of(owners: &OwnerMaps, maps_of_set: MapsOfSet<'_>) -> Result<Maps> {
    if owners.are_those_of_set() {
        return maps_of_set();
    }
    Ok(Maps { uid: owners.uid_maps.clone(), gid: owners.gid_maps.clone(), setgroups: None })
}

fn one(mount: &MountSpec, base: &NamespaceSet, users: &dyn Fn() -> Result<NamespaceSet>) -> Result<Option<OwnedFd>> {
    if joining::foreign(base, base.kinds()).contains(Kind::Mnt) {
        let message = "'idMap' of a bind mount needs the mount namespace of the caller, and the set has another one";
        return Err(Error::InvalidArgument(message.into()));
    }
    let source = mount.source()?;
    let recursive = mount.recursive.unwrap_or(true);
    let failed = |errno, syscall| SystemError::new(errno, syscall).path(source);
    let tree = match mount_tree::clone_path(&c_string(source.as_os_str().as_encoded_bytes())?, recursive) {
        Err(Errno::ENOENT) if mount.optional => return Ok(None),
        tree => tree.map_err(|errno| explain(failed(errno, "mount bind")))?,
    };
    let users = users()?;
    let users = users.get(Kind::User)?;
    mount_tree::map_owners(tree.as_fd(), recursive, mount.attributes(), users.as_fd())
        .map_err(|errno| explain(failed(errno, "mount_setattr")))?;
    Ok(Some(tree))
}

fn explain(error: Box<SystemError>) -> Box<SystemError> {
    match error.errno {
        Errno::EPERM => error.hint(
            "mapped owners need CAP_SYS_ADMIN in the user namespace that the file system belongs to: for those of the host, root",
        ),
        Errno::EINVAL => error.hint(
            "this file system, or one mounted below it, does not support mapped owners; without 'recursive', only the first counts",
        ),
        _ => error,
    }
}
