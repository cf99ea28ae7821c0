//! Bind mounts with mapped owners (mount_setattr(2), `MOUNT_ATTR_IDMAP`). Making one needs the privilege over the file
//! system, which the helper has given up when it mounts. So the tree is cloned here, and passed to the helper.

use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;

use super::{UnshareOptions, unshare_with_helper};
use crate::{
    cancel::Cancel,
    error::{Error, Result, SystemError},
    helper::plan,
    helper::program::c_string,
    id_map::Maps,
    kind::{Kind, Kinds},
    mounts::mount_spec::{MountSpec, OwnerMaps},
    mounts::mount_tree,
    namespaces::set::NamespaceSet,
};

/// The detached mounts of those with mapped owners, in order; `None` for one that is skipped.
pub(super) fn make(
    base: &NamespaceSet,
    options: &UnshareOptions,
    cancel: Option<&Cancel>,
) -> Result<Vec<Option<OwnedFd>>> {
    let mapped = options.mounts.iter().filter_map(|mount| Some((mount, mount.id_map.as_ref()?)));
    mapped.map(|(mount, owners)| one(mount, owners, base, options, cancel)).collect()
}

fn one(
    mount: &MountSpec,
    owners: &OwnerMaps,
    base: &NamespaceSet,
    options: &UnshareOptions,
    cancel: Option<&Cancel>,
) -> Result<Option<OwnedFd>> {
    if plan::foreign(base, base.kinds()).contains(Kind::Mnt) {
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
    let users = user_namespace(owners, options, cancel)?;
    let users = users.get(Kind::User)?;
    mount_tree::map_owners(tree.as_fd(), recursive, mount.attributes(), users.as_fd())
        .map_err(|errno| explain(failed(errno, "mount_setattr")))?;
    Ok(Some(tree))
}

/// A user namespace with the maps, which nothing is in.
fn user_namespace(owners: &OwnerMaps, options: &UnshareOptions, cancel: Option<&Cancel>) -> Result<NamespaceSet> {
    let is_of_set = owners.uid_maps.is_empty() && owners.gid_maps.is_empty();
    let maps = if is_of_set {
        Maps::for_caller(options.map_user, options.maps())?
    } else {
        Maps { uid: owners.uid_maps.clone(), gid: owners.gid_maps.clone(), setgroups: None }
    };
    let only_maps = UnshareOptions { uid_maps: maps.uid, gid_maps: maps.gid, ..UnshareOptions::default() };
    unshare_with_helper(&NamespaceSet::default(), Kinds::NONE.with(Kind::User), &only_maps, cancel)
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
