//! The namespaces that are mounted, in each mount namespace.

use std::{ffi::CString, fs::File, io::Read, os::fd::AsFd};

use nix::{errno::Errno, fcntl::OFlag};

use crate::{
    discovery::{
        census::{Census, Found, Holder},
        incomplete::What,
        mounts::{
            mount_list,
            visitor::{self, Entry},
        },
        reopen,
    },
    error::{Error, last_errno},
    kind::Kind,
    namespaces::{ioctl, ns_link, set::NamespaceSet},
    proc,
};

/// A namespace that is mounted.
struct Mounted {
    kind: Kind,
    inode: u64,
    path: CString,
}

/// Reads the mounts of every mount namespace that is known. This may lead to further mount namespaces, which are read
/// too.
pub(in crate::discovery) fn walk(census: &mut Census) {
    let (mut text, mut next) = (Vec::new(), 0);
    loop {
        let all = census.found();
        let Some(found) = all.get(next) else { return };
        next += 1;
        if found.kind != Kind::Mnt {
            continue;
        }
        let (mounts, through) = (found.inode, found.processes.first().copied());
        let read = match through {
            Some(pid) => read_process(pid, &mut text).map(|mounted| (Entry::Process(pid), mounted)),
            None => read_unoccupied(found, all),
        };
        let added = read.and_then(|(entry, mounted)| {
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

fn read_process(pid: i32, text: &mut Vec<u8>) -> Result<Vec<Mounted>, Errno> {
    text.clear();
    let file = proc::open_below(format!("{pid}/mountinfo"), OFlag::O_RDONLY)?;
    File::from(file).read_to_end(text).map_err(|error| last_errno(&error))?;
    Ok(text.split(|byte| *byte == b'\n').filter_map(parse).collect())
}

/// Reads a line of proc_pid_mountinfo(5). Only for namespaces the root of the mount does not begin with a slash.
fn parse(line: &[u8]) -> Option<Mounted> {
    let mut fields = line.split(|byte| *byte == b' ').skip(3);
    let (kind, inode) = fields.next().filter(|root| !root.starts_with(b"/")).and_then(ns_link::parse)?;
    Some(Mounted { kind, inode, path: unescape(fields.next()?)? })
}

/// Spaces and line breaks are written as `\040` and `\012`.
fn unescape(text: &[u8]) -> Option<CString> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let (byte, others) = match after {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', others @ ..] if *first == b'\\' => {
                ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), others)
            }
            _ => (*first, after),
        };
        bytes.push(byte);
        rest = others;
    }
    CString::new(bytes).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mounted_namespace_is_read_with_the_spaces_of_its_path() {
        let line = br"59 21 0:4 net:[4026532177] /run/netns/two\040words rw shared:5 - nsfs nsfs rw";
        let Mounted { kind, inode, path } = parse(line).unwrap();
        assert_eq!((kind, inode, path.as_bytes()), (Kind::Net, 4_026_532_177, &b"/run/netns/two words"[..]));
    }

    #[test]
    fn other_mounts_are_left_out() {
        assert!(parse(b"21 1 254:0 / / rw,relatime - ext4 /dev/root rw").is_none());
        assert!(parse(b"").is_none());
    }
}
