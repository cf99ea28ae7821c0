//! The namespaces that are mounted, in each mount namespace.

use std::os::fd::AsFd;

use nix::{errno::Errno, fcntl::OFlag};

use crate::{
    discovery::{
        census::{Census, Found, Holder},
        incomplete::What,
        mounts::{
            mount_list,
            mountinfo::{Mounted, Reader, Table},
            visitor::{self, Entry},
        },
        reopen,
    },
    error::Error,
    kind::Kind,
    namespaces::{ioctl, ns_link, set::NamespaceSet},
    proc,
};

/// Adds what is mounted in every mount namespace that is known. This may lead to further mount namespaces, which are read
/// too. `read` has those that the walk of the processes has read already.
pub(in crate::discovery) fn walk(census: &mut Census, mut read: Table) {
    let mut next = 0;
    loop {
        let all = census.found();
        let Some(found) = all.get(next) else { return };
        next += 1;
        if found.kind != Kind::Mnt {
            continue;
        }
        let mounts = found.inode;
        let known = read.remove(&mounts).or_else(|| read_any(&found.processes));
        let through = known.as_ref().map(|(pid, _)| *pid);
        let seen = known.map(|(pid, mounted)| (Entry::Process(pid), mounted));
        let added = seen.map_or_else(|| read_unoccupied(found, all), Ok).and_then(|(entry, mounted)| {
            open_unknown(census, entry, &mounted)?;
            for each in mounted {
                hold(census, each, mounts, through);
            }
            Ok(())
        });
        match added {
            // The process has ended, or the kernel has no listmount(2).
            Ok(()) | Err(Errno::ENOENT | Errno::ESRCH | Errno::EINVAL | Errno::ENOTTY | Errno::ENOSYS) => {}
            Err(errno) => census.count(What::Mounts, errno),
        }
    }
}

/// Reads the mounts of the first of these processes that has not ended.
fn read_any(pids: &[i32]) -> Option<(i32, Vec<Mounted>)> {
    let mut reader = Reader::default();
    pids.iter().find_map(|pid| {
        let process = proc::open_below(pid.to_string(), OFlag::O_PATH | OFlag::O_DIRECTORY).ok()?;
        Some((*pid, reader.read(process.as_fd()).ok()?))
    })
}

/// Adds the namespaces that nothing but these mounts has led to.
fn open_unknown(census: &Census, entry: Entry, mounted: &[Mounted]) -> Result<(), Errno> {
    let is_unknown = |each: &&Mounted| census.looks_at(each.kind) && census.index(each.kind, each.inode).is_none();
    let places: Vec<_> = mounted.iter().filter(is_unknown).map(|each| (each.kind, each.path.clone())).collect();
    if places.is_empty() {
        return Ok(());
    }
    for namespace in visitor::open(entry, places).map_err(|error| errno_of(&error))?.iter().flatten() {
        census.add(namespace);
    }
    Ok(())
}

fn hold(census: &Census, mounted: Mounted, mounts: u64, through: Option<i32>) {
    let Mounted { kind, inode, path } = mounted;
    if let Some(index) = census.index(kind, inode) {
        census.hold(index, Holder::Mount { path, mounts, through });
    }
}

fn errno_of(error: &Error) -> Errno {
    match error {
        Error::System(error) => error.errno,
        // An ordinary user may not enter a mount namespace with a thread of Node.js.
        Error::NotEnterable { .. } => Errno::EPERM,
        _ => Errno::EIO,
    }
}

/// The mounts of a mount namespace without processes, which a descriptor or a mount holds: listmount(2), since Linux
/// 6.11.
fn read_unoccupied(found: &Found, all: &[Found]) -> Result<(Entry, Vec<Mounted>), Errno> {
    let namespace = reopen::open(found, all).map_err(|_| Errno::ESRCH)?;
    let id = ioctl::mount_namespace_id(namespace.as_fd())?;
    let mounts = mount_list::list(id)?.into_iter().filter_map(|mount| mount_list::of_nsfs(id, mount));
    let mounted = mounts.filter_map(|(root, path)| {
        let (kind, inode) = ns_link::parse(root.as_bytes())?;
        Some(Mounted { kind, inode, path })
    });
    let mounted = mounted.collect();
    Ok((Entry::Namespace(NamespaceSet::of(namespace)), mounted))
}
