//! The walk of `/proc`: the namespaces of each process, and those of its threads that differ.

use std::{
    borrow::Cow,
    ffi::CString,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread::{Builder, available_parallelism, scope},
};

use nix::{errno::Errno, fcntl::AtFlags, sys::stat::fstatat};

use crate::{
    children::pidfd,
    discovery::{
        census::{Census, Holder, Process},
        descriptors,
        entries::{self, Inodes, decimal, directory, list},
        incomplete::What,
        links::{Links, Whose},
        mounts::mountinfo::{Reader, Table},
        sockets::{Networks, Owner},
    },
    error::{Result, SystemError},
    kind::Kind,
    proc,
};

/// The kinds of which the threads of a process can have different namespaces.
const OF_THREADS: [Kind; 5] = [Kind::Cgroup, Kind::Ipc, Kind::Mnt, Kind::Net, Kind::Uts];

/// The kinds of which the next children of a process can have others than it has.
const FOR_CHILDREN: [Kind; 2] = [Kind::Pid, Kind::Time];

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
        let mut reader = Reader::default();
        while let Some(rest) = self.pids.get(self.next.fetch_add(SHARE, Relaxed)..).filter(|rest| !rest.is_empty()) {
            for pid in rest.iter().take(SHARE) {
                if let Err(errno @ (Errno::EACCES | Errno::EPERM)) = self.look_at(*pid, &mut reader) {
                    self.census.count(What::Processes, errno);
                }
            }
        }
    }

    /// Processes may end at any time, and what is read of one is read below one descriptor, which never leads to another.
    fn look_at(&self, pid: i32, mounts: &mut Reader) -> std::result::Result<(), Errno> {
        let process = directory(self.proc, &decimal(pid))?;
        let seen = self.look_below(process.as_fd(), pid, mounts);
        // For a process that has ended, the kernel fails with EACCES too.
        seen.or_else(|errno| fstatat(&process, c"ns", AtFlags::empty()).map_or(Ok(()), |_| Err(errno)))
    }

    fn look_below(&self, directory: BorrowedFd<'_>, pid: i32, mounts: &mut Reader) -> std::result::Result<(), Errno> {
        let Walk { census, networks, .. } = self;
        let pidfd = open_pidfd(pid);
        // If the directory is still there, the descriptor is not that of a later process with the same pid.
        let threads = fstatat(directory, c"task", AtFlags::empty())?.st_nlink;
        let process = Links::of_process(pidfd.as_ref().ok().map(AsFd::as_fd), directory)?;
        let (inodes, first_in, seen) = read_process(census, &process, pid)?;
        if census.search.holders {
            census.enroll(describe(directory, pid));
        }
        if let Some(inode) = first_in {
            self.read_mounts(directory, pid, inode, mounts);
        }
        if threads > LINKS_OF_ONE_THREAD {
            look_at_threads(census, directory, pid, &inodes)?;
        }
        let owner = Owner::new(pid, inodes[Kind::Net], pidfd);
        descriptors::look(census, directory, owner, networks)?;
        seen
    }

    /// Another process in it is asked later if this one has ended.
    fn read_mounts(&self, process: BorrowedFd<'_>, pid: i32, inode: u64, mounts: &mut Reader) {
        if let Ok(mounted) = mounts.read(process) {
            self.mounts.lock().unwrap_or_else(PoisonError::into_inner).insert(inode, (pid, mounted));
        }
    }
}

/// The namespaces of the main thread, the mount namespace if the process is the first in it, and the error of what the
/// caller may not see.
type Seen = (Inodes, Option<u64>, std::result::Result<(), Errno>);

fn read_process(census: &Census, process: &Links<'_>, pid: i32) -> std::result::Result<Seen, Errno> {
    let mut inodes = Inodes::default();
    let (mut first_in, mut seen) = (None, Ok(()));
    for kind in Kind::ALL.into_iter().filter(|kind| census.looks_at(*kind)) {
        match process.meet(census, kind, Whose::Process) {
            Ok((inode, index)) => {
                inodes[kind] = Some(inode);
                let is_first = index.is_some_and(|index| census.inhabit(index, pid));
                first_in = first_in.or_else(|| (is_first && kind == Kind::Mnt).then_some(inode));
            }
            // Neither a zombie nor the kernel has this kind.
            Err(Errno::ENOENT) => {}
            Err(errno @ (Errno::EACCES | Errno::EPERM)) => seen = Err(errno),
            Err(errno) => return Err(errno),
        }
    }
    for kind in FOR_CHILDREN.into_iter().filter(|kind| census.looks_at(*kind)) {
        let Ok((inode, Some(index))) = process.meet(census, kind, Whose::Children) else { continue };
        if inodes[kind] != Some(inode) {
            census.hold(index, Holder::Children { pid });
        }
    }
    Ok((inodes, first_in, seen))
}

/// The descriptor of a process with this pid in `/proc`; `EXDEV` if these are the pids of another pid namespace, in which
/// pidfd_open(2) would find other processes.
fn open_pidfd(pid: i32) -> std::result::Result<OwnedFd, Errno> {
    if proc::has_own_pids() { pidfd::open(pid) } else { Err(Errno::EXDEV) }
}

/// The links of the directory `task`: one for each thread, besides its own two.
const LINKS_OF_ONE_THREAD: libc::nlink_t = 3;

fn look_at_threads(
    census: &Census,
    process: BorrowedFd<'_>,
    pid: i32,
    inodes: &Inodes,
) -> std::result::Result<(), Errno> {
    let (tasks, tids) = list(process, c"task")?;
    for tid in tids.into_iter().filter(|tid| *tid != pid) {
        let path = CString::new(format!("{tid}/ns")).unwrap_or_default();
        let Ok(thread) = directory(tasks.as_fd(), &path).map(Links::Directory) else { continue };
        for kind in OF_THREADS.into_iter().filter(|kind| census.looks_at(*kind)) {
            let Ok((inode, Some(index))) = thread.meet(census, kind, Whose::Process) else { continue };
            if inodes[kind] != Some(inode) {
                census.hold(index, Holder::Thread { pid, tid });
            }
        }
    }
    Ok(())
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
