//! The walk of `/proc`: the namespaces of each process, and those of its threads that differ.

use std::{
    borrow::Cow,
    ffi::{CStr, CString},
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread::{Builder, available_parallelism, scope},
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
        entries::{self, Inodes, decimal, directory, list},
        incomplete::What,
        mounts::mountinfo::{self, Table},
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

/// Returns what is mounted in the mount namespaces of the processes.
pub(super) fn walk(census: &Census) -> Result<Table> {
    let proc = proc::hold()?;
    let (_, pids) = list(proc, c".").map_err(|errno| SystemError::new(errno, "open").path("/proc"))?;
    if pids.is_empty() {
        // A procfs shows at least the process that reads it.
        return Err(SystemError::new(Errno::ENOENT, "open").path("/proc").hint(proc::MISSING).into());
    }
    let next = AtomicUsize::new(0);
    let walk = Walk { census, networks: Mutex::default(), mounts: Mutex::default(), proc, pids: &pids, next };
    let others =
        available_parallelism().map_or(1, usize::from).min(MOST_THREADS).min(pids.len() / SHARE).saturating_sub(1);
    scope(|scope| {
        for _ in 0..others {
            // Without another thread this one reads all of them.
            let _ =
                Builder::new().name("nsset-walk".into()).stack_size(STACK).spawn_scoped(scope, || walk.read_shares());
        }
        walk.read_shares();
    });
    walk.networks.into_inner().unwrap_or_else(PoisonError::into_inner).note(census);
    Ok(walk.mounts.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What is read are files of the kernel: more threads wait for each other.
const MOST_THREADS: usize = 4;

/// How many processes a thread takes at once.
const SHARE: usize = 32;

/// Enough for the buffers of a process.
const STACK: usize = 256 * 1024;

/// A walk on which several threads go.
struct Walk<'a> {
    census: &'a Census,
    networks: Mutex<Networks>,
    mounts: Mutex<Table>,
    proc: BorrowedFd<'a>,
    pids: &'a [i32],
    /// The first pid that no thread has taken.
    next: AtomicUsize,
}

impl Walk<'_> {
    fn read_shares(&self) {
        let mut text = Vec::new();
        while let Some(rest) = self.pids.get(self.next.fetch_add(SHARE, Relaxed)..).filter(|rest| !rest.is_empty()) {
            for pid in rest.iter().take(SHARE) {
                if let Err(errno @ (Errno::EACCES | Errno::EPERM)) = self.look_at(*pid, &mut text) {
                    self.census.count(What::Processes, errno);
                }
            }
        }
    }

    /// Processes may end at any time, and what is read of one is read below one descriptor, which never leads to another.
    fn look_at(&self, pid: i32, text: &mut Vec<u8>) -> std::result::Result<(), Errno> {
        let process = directory(self.proc, &decimal(pid))?;
        let seen = self.look_below(process.as_fd(), pid, text);
        // For a process that has ended, the kernel fails with EACCES too.
        seen.or_else(|errno| fstatat(&process, c"ns", AtFlags::empty()).map_or(Ok(()), |_| Err(errno)))
    }

    fn look_below(&self, process: BorrowedFd<'_>, pid: i32, text: &mut Vec<u8>) -> std::result::Result<(), Errno> {
        let Walk { census, networks, .. } = self;
        let (inodes, first_in, seen) = read_process(census, process, pid)?;
        if census.search.holders {
            census.enroll(describe(process, pid));
        }
        if let Some(mounts) = first_in {
            self.read_mounts(process, pid, mounts, text);
        }
        look_at_threads(census, process, pid, &inodes)?;
        descriptors::look(census, process, pid, &inodes, networks)?;
        seen
    }

    /// Another process in it is asked later if this one has ended.
    fn read_mounts(&self, process: BorrowedFd<'_>, pid: i32, mounts: u64, text: &mut Vec<u8>) {
        if let Ok(mounted) = mountinfo::read(process, text) {
            self.mounts.lock().unwrap_or_else(PoisonError::into_inner).insert(mounts, (pid, mounted));
        }
    }
}

/// The namespaces of the main thread, the mount namespace if the process is the first in it, and the error of what the
/// caller may not see.
type Seen = (Inodes, Option<u64>, std::result::Result<(), Errno>);

fn read_process(census: &Census, process: BorrowedFd<'_>, pid: i32) -> std::result::Result<Seen, Errno> {
    let links = directory(process, c"ns")?;
    let mut inodes = Inodes::default();
    let (mut first_in, mut seen) = (None, Ok(()));
    for kind in Kind::ALL {
        if !census.looks_at(kind) {
            continue;
        }
        match ns_link::read(links.as_fd(), ns_link::name(kind)) {
            Ok((_, inode)) => {
                inodes[kind] = Some(inode);
                if let Some(index) = census.meet(kind, inode, || open_link(links.as_fd(), kind, ns_link::name(kind))) {
                    let is_first = census.inhabit(index, pid);
                    first_in = first_in.or_else(|| (is_first && kind == Kind::Mnt).then_some(inode));
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
    Ok((inodes, first_in, seen))
}

/// A process with one thread is not searched for others.
fn look_at_threads(
    census: &Census,
    process: BorrowedFd<'_>,
    pid: i32,
    inodes: &Inodes,
) -> std::result::Result<(), Errno> {
    // The directory has one link for each thread, besides its own two.
    if fstatat(process, c"task", AtFlags::empty())?.st_nlink <= 3 {
        return Ok(());
    }
    let (tasks, tids) = list(process, c"task")?;
    for tid in tids.into_iter().filter(|tid| *tid != pid) {
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
    let mut buffer = [0; MOST_BYTES];
    let command = text(entries::read(process, c"comm", &mut buffer)).trim_end_matches('\n').to_owned();
    let cgroups = text(entries::read(process, c"cgroup", &mut buffer));
    let cgroup = cgroups.lines().filter_map(|line| line.splitn(3, ':').nth(2)).max_by_key(|path| path.len());
    Process { pid, command, cgroup: cgroup.unwrap_or_default().to_owned() }
}

/// The most bytes that are read of the list of cgroups: 16 hierarchies with paths of some hundred bytes.
const MOST_BYTES: usize = 16 * 1024;

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
