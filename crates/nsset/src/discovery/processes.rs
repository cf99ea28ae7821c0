//! The walk of `/proc`: the namespaces of each process, and those of its threads that differ.

use std::{
    ffi::{CStr, CString},
    io::Read,
    os::fd::{AsFd, BorrowedFd},
};

use nix::{
    errno::Errno,
    fcntl::{AtFlags, OFlag, openat},
    sys::stat::{Mode, fstatat},
};

use crate::{
    discovery::{
        census::{Census, Holder, Process},
        descriptors,
        entries::{Inodes, decimal, directory, numbers},
        incomplete::What,
        sockets::Networks,
    },
    error::{Result, SystemError},
    kind::Kind,
    namespaces::{namespace::Namespace, ns_link},
    proc,
    retry::uninterrupted,
};

/// The kinds of which the threads of a process can have different namespaces.
const OF_THREADS: [Kind; 5] = [Kind::Cgroup, Kind::Ipc, Kind::Mnt, Kind::Net, Kind::Uts];

/// The namespaces of the next children, and their kinds.
const FOR_CHILDREN: [(Kind, &CStr); 2] = [(Kind::Pid, c"pid_for_children"), (Kind::Time, c"time_for_children")];

pub(super) fn walk(census: &mut Census) -> Result<()> {
    let proc = proc::hold()?;
    let pids = numbers(proc, c".").map_err(|errno| SystemError::new(errno, "open").path("/proc"))?;
    let mut networks = Networks::default();
    for pid in pids {
        if let Err(errno @ (Errno::EACCES | Errno::EPERM)) = look_at(census, proc, pid, &mut networks) {
            census.count(What::Processes, errno);
        }
    }
    networks.note(census);
    Ok(())
}

/// Processes may end at any time, and what is read of one is read below one descriptor, which never leads to another.
fn look_at(
    census: &mut Census,
    proc: BorrowedFd<'_>,
    pid: i32,
    networks: &mut Networks,
) -> std::result::Result<(), Errno> {
    let process = directory(proc, &decimal(pid))?;
    let seen = look_below(census, process.as_fd(), pid, networks);
    // For a process that has ended, the kernel fails with EACCES too.
    fstatat(&process, c"ns", AtFlags::empty()).map_or(Ok(()), |_| seen)
}

fn look_below(
    census: &mut Census,
    process: BorrowedFd<'_>,
    pid: i32,
    networks: &mut Networks,
) -> std::result::Result<(), Errno> {
    let (inodes, seen) = read_process(census, process, pid)?;
    if census.search.holders {
        census.processes.push(describe(process, pid));
    }
    look_at_threads(census, process, pid, &inodes)?;
    descriptors::look(census, process, pid, &inodes, networks)?;
    seen
}

/// The namespaces of the main thread. The second part is the error of what the caller may not see.
fn read_process(
    census: &mut Census,
    process: BorrowedFd<'_>,
    pid: i32,
) -> std::result::Result<(Inodes, std::result::Result<(), Errno>), Errno> {
    let links = directory(process, c"ns")?;
    let mut inodes = Inodes::default();
    let mut seen = Ok(());
    for kind in Kind::ALL {
        if !census.looks_at(kind) {
            continue;
        }
        match ns_link::read(links.as_fd(), ns_link::name(kind)) {
            Ok((_, inode)) => {
                inodes[kind] = Some(inode);
                if let Some(index) = census.meet(kind, inode, || open_link(links.as_fd(), kind, ns_link::name(kind))) {
                    census.inhabit(index, pid);
                }
            }
            // Neither a zombie nor the kernel has this kind.
            Err(Errno::ENOENT) => {}
            Err(errno @ (Errno::EACCES | Errno::EPERM)) => seen = Err(errno),
            Err(errno) => return Err(errno),
        }
    }
    for (kind, name) in FOR_CHILDREN {
        if !census.looks_at(kind) {
            continue;
        }
        let Ok((_, inode)) = ns_link::read(links.as_fd(), name) else { continue };
        if inodes[kind] == Some(inode) {
            continue;
        }
        if let Some(index) = census.meet(kind, inode, || open_link(links.as_fd(), kind, name)) {
            census.hold(index, Holder::Children { pid });
        }
    }
    Ok((inodes, seen))
}

/// A process with one thread is not searched for others.
fn look_at_threads(
    census: &mut Census,
    process: BorrowedFd<'_>,
    pid: i32,
    inodes: &Inodes,
) -> std::result::Result<(), Errno> {
    // The directory has one link for each thread, besides its own two.
    if fstatat(process, c"task", AtFlags::empty())?.st_nlink <= 3 {
        return Ok(());
    }
    let tasks = directory(process, c"task")?;
    for tid in numbers(tasks.as_fd(), c".")?.into_iter().filter(|tid| *tid != pid) {
        let path = CString::new(format!("{tid}/ns")).unwrap_or_default();
        let Ok(links) = directory(tasks.as_fd(), &path) else { continue };
        for kind in OF_THREADS.into_iter().filter(|kind| census.looks_at(*kind)).collect::<Vec<_>>() {
            let Ok((_, inode)) = ns_link::read(links.as_fd(), ns_link::name(kind)) else { continue };
            if inodes[kind] == Some(inode) {
                continue;
            }
            if let Some(index) = census.meet(kind, inode, || open_link(links.as_fd(), kind, ns_link::name(kind))) {
                census.hold(index, Holder::Thread { pid, tid });
            }
        }
    }
    Ok(())
}

fn open_link(links: BorrowedFd<'_>, kind: Kind, name: &CStr) -> Option<Namespace> {
    let fd = uninterrupted(|| openat(links, name, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())).ok()?;
    Namespace::new(kind, fd).ok()
}

fn describe(process: BorrowedFd<'_>, pid: i32) -> Process {
    let command = read(process, c"comm").trim_end_matches('\n').to_owned();
    let cgroups = read(process, c"cgroup");
    let cgroup = cgroups.lines().filter_map(|line| line.splitn(3, ':').nth(2)).max_by_key(|path| path.len());
    Process { pid, command, cgroup: cgroup.unwrap_or_default().to_owned() }
}

/// The most bytes that are read of the list of cgroups: 16 hierarchies with paths of some hundred bytes.
const MOST_BYTES: u64 = 16 * 1024;

fn read(process: BorrowedFd<'_>, name: &CStr) -> String {
    let mut bytes = Vec::with_capacity(256);
    if let Ok(file) = uninterrupted(|| openat(process, name, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())) {
        // A process that has ended has no cgroups any more.
        let _ = std::fs::File::from(file).take(MOST_BYTES).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
