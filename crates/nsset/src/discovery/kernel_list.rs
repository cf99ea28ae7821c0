//! The kernel's own list of namespaces: listns(2), since Linux 7.

use nix::errno::Errno;

use crate::{
    discovery::census::Census,
    kind::{Kind, Kinds},
    namespaces::{file_handle, ioctl, namespace::Namespace, source},
    userns::capability::{self, Capability},
};

const SYS_LISTNS: libc::c_long = 470;

/// `struct ns_id_req`.
#[repr(C)]
struct Request {
    size: u32,
    spare: u32,
    /// Only ids above this one.
    above: u64,
    kinds: u32,
    spare_too: u32,
    owner: u64,
}

/// How many ids are read at once.
const PAGE: usize = 1024;

/// The unique ids of the namespaces that the caller may see; `None` if the kernel has no such list.
pub(super) fn read(kinds: Kinds) -> Option<Vec<u64>> {
    let mut all = Vec::new();
    let mut page = [0u64; PAGE];
    loop {
        let above = all.last().copied().unwrap_or(0);
        let size = size_of::<Request>() as u32;
        let request = Request { size, spare: 0, above, kinds: kinds.flags(), spare_too: 0, owner: 0 };
        // SAFETY: the request with its size, and a buffer with its length.
        let count = unsafe { libc::syscall(SYS_LISTNS, &raw const request, page.as_mut_ptr(), page.len(), 0) };
        match Errno::result(count) {
            Ok(count) if count > 0 => all.extend(page.iter().take(count as usize)),
            // There is nothing above the last one.
            Ok(_) | Err(Errno::ENOENT) => return Some(all),
            Err(_) => return None,
        }
    }
}

/// The inode numbers of the first user and pid namespaces, which are constant.
const FIRST: [(Kind, u64); 2] = [(Kind::User, 0xefff_fffd), (Kind::Pid, 0xefff_fffc)];

/// Whether the list has all namespaces. It does for CAP_SYS_ADMIN in the first user and pid namespaces; others see only
/// those that they are in.
pub(super) fn is_whole() -> bool {
    FIRST.into_iter().all(|(kind, inode)| source::own_id(kind).is_some_and(|id| id.ino == inode))
        && capability::has(Capability::SysAdmin)
}

/// Adds the namespaces that are not known yet.
pub(super) fn add(census: &Census, ids: &[u64]) {
    let known = census.unique_ids();
    for id in ids.iter().filter(|id| !known.contains(id)) {
        if let Some(namespace) = open(*id) {
            census.add(&namespace);
        }
    }
}

fn open(id: u64) -> Option<Namespace> {
    use std::os::fd::AsFd;
    let fd = file_handle::open(id, None).ok()?;
    let kind = Kind::from_flag(ioctl::flag(fd.as_fd()).ok()?)?;
    Namespace::new(kind, fd).ok()
}
