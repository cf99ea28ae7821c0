//! One thread that waits for child processes to end, so that no other thread has to and no zombie stays.

use std::{
    collections::HashMap,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, Builder},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout},
        eventfd::{EfdFlags, EventFd},
        signal::Signal,
    },
};

use crate::{
    children::pidfd,
    children::process_group::ProcessGroup,
    children::stopped,
    error::{Result, SystemError, last_errno},
    outside,
};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    /// The number of the signal.
    Signal(i32),
    /// Other code in this process waited for it first.
    Unknown,
}

type OnExit = Box<dyn FnOnce(Exit) + Send>;

/// Work for a thread that never enters a namespace.
pub type Work = Box<dyn FnOnce() + Send>;

struct Reaper {
    epoll: Epoll,
    /// Wakes the thread for work that epoll does not report.
    bell: EventFd,
    watches: Mutex<HashMap<u64, Watch>>,
    /// The thread wakes by itself at this time or earlier. Only changed while `watches` is locked.
    wakes_at: Mutex<Option<Instant>>,
    /// Groups with children that were killed and did not end at once, for example because the kernel waits for a disk
    /// or for a tracer.
    groups: Mutex<Vec<ProcessGroup>>,
    work: Mutex<Vec<Work>>,
    next_token: AtomicU64,
}

struct Watch {
    pidfd: Arc<OwnedFd>,
    on_exit: OnExit,
    /// Whether epoll reports its end.
    is_registered: bool,
    /// When it is killed, if it has not ended by then.
    deadline: Option<Instant>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Watch").field("pidfd", &self.pidfd).finish_non_exhaustive()
    }
}

/// The tokens of descriptors other than those of children, whose tokens count from 0.
const CLOCK: u64 = u64::MAX;
const BELL: u64 = u64::MAX - 1;

/// The interval in milliseconds at which children are checked that epoll cannot report. A traced child that has ended
/// stays until its tracer waits for it.
const POLL_INTERVAL_MS: u8 = 20;

static REAPER: OnceLock<Arc<Reaper>> = OnceLock::new();

/// Starts the thread once. After a failure the next call tries again. Without the thread no child is started, since no
/// thread would wait for it.
pub fn start() -> Result<()> {
    get().map(drop)
}

fn get() -> Result<&'static Reaper> {
    static TURN: Mutex<()> = Mutex::new(());
    if let Some(reaper) = REAPER.get() {
        return Ok(reaper);
    }
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(reaper) = REAPER.get() {
        return Ok(reaper);
    }
    outside::ensure()?;
    let reaper = Arc::new(Reaper::new()?);
    let served = Arc::clone(&reaper);
    let thread = Builder::new().name("nsset-reaper".into()).stack_size(256 * 1024).spawn(move || serve(&served));
    thread.map_err(|error| SystemError::new(last_errno(&error), "pthread_create"))?;
    Ok(REAPER.get_or_init(|| reaper))
}

/// A child that the thread waits for.
#[derive(Debug)]
pub struct Watched(u64);

impl Watched {
    /// Leaves the child to the caller. Returns false if it has been reaped.
    pub fn release(self) -> bool {
        let Ok(reaper) = get() else { return false };
        let mut watches = reaper.watches.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watch) = watches.remove(&self.0) else { return false };
        if watch.is_registered {
            let _ = reaper.epoll.delete(&*watch.pidfd);
        }
        true
    }
}

/// Reaps the child behind `pidfd` when it ends, and then calls `on_exit`, on the reaper's thread.
pub fn watch(pidfd: Arc<OwnedFd>, on_exit: OnExit) -> Watched {
    watch_until(None, pidfd, on_exit)
}

/// Like [`watch`], and kills the child at the deadline, if there is one and the child has not ended by itself.
pub fn watch_until(deadline: Option<Instant>, pidfd: Arc<OwnedFd>, on_exit: OnExit) -> Watched {
    let Ok(reaper) = get() else {
        // Unreachable: no child is started without the reaper.
        on_exit(ended(&pidfd).unwrap_or(Exit::Unknown));
        return Watched(u64::MAX);
    };
    let token = reaper.next_token.fetch_add(1, Ordering::Relaxed);
    let mut watches = reaper.watches.lock().unwrap_or_else(PoisonError::into_inner);
    let event = EpollEvent::new(EpollFlags::EPOLLIN, token);
    let is_registered = reaper.epoll.add(&*pidfd, event).is_ok();
    watches.insert(token, Watch { pidfd, on_exit, is_registered, deadline });
    // Without memory or a watch (epoll_ctl(2)), the thread polls this child. It also has to know of an earlier deadline. It
    // finds out about a later one when it wakes.
    if !is_registered || deadline.is_some_and(|deadline| reaper.sleeps_beyond(deadline)) {
        let _ = reaper.bell.write(1);
    }
    Watched(token)
}

/// Reaps the children of a killed group, which take long to end.
pub fn reap_group(group: ProcessGroup) {
    let Ok(reaper) = get() else {
        // Unreachable: no child is started without the reaper.
        group.reap(Duration::ZERO);
        return;
    };
    reaper.groups.lock().unwrap_or_else(PoisonError::into_inner).push(group);
    let _ = reaper.bell.write(1);
}

/// Reaps a child that has ended or is about to. If a tracer keeps it, the thread reaps it later.
pub fn reap(pidfd: OwnedFd) {
    let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    let _ = poll(&mut fds, PollTimeout::from(100u8));
    if ended(&pidfd).is_none() {
        watch(pidfd.into(), Box::new(drop));
    }
}

/// Runs work that takes little time on the thread.
pub fn run(work: Work) -> Result<()> {
    let reaper = get()?;
    reaper.work.lock().unwrap_or_else(PoisonError::into_inner).push(work);
    let _ = reaper.bell.write(1);
    Ok(())
}

fn serve(reaper: &Reaper) {
    let mut events = [EpollEvent::empty(); 64];
    let mut timeout = EpollTimeout::NONE;
    loop {
        let count = match reaper.epoll.wait(&mut events, timeout) {
            Ok(count) => count,
            Err(Errno::EINTR) => continue,
            Err(_) => {
                // Other code in the process has closed our epoll descriptor.
                reaper.fall_back_to_polling();
                thread::sleep(Duration::from_millis(POLL_INTERVAL_MS.into()));
                0
            }
        };
        for event in events.iter().take(count) {
            match event.data() {
                CLOCK => drop(stopped::launches().inspect(|launches| launches.continue_children())),
                BELL => drop(reaper.bell.read()),
                token => reaper.check(token),
            }
        }
        reaper.do_work();
        let next_deadline = reaper.kill_overdue();
        timeout = if reaper.check_unregistered() | reaper.check_groups() {
            EpollTimeout::from(POLL_INTERVAL_MS)
        } else {
            next_deadline.map_or(EpollTimeout::NONE, until)
        };
    }
}

impl Reaper {
    fn new() -> Result<Self> {
        let epoll =
            Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(|errno| SystemError::new(errno, "epoll_create1"))?;
        let launches = stopped::start().map_err(|errno| SystemError::new(errno, "timerfd_create"))?;
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let bell = EventFd::from_flags(flags).map_err(|errno| SystemError::new(errno, "eventfd2"))?;
        for (fd, token) in [(launches.as_fd(), CLOCK), (bell.as_fd(), BELL)] {
            epoll
                .add(fd, EpollEvent::new(EpollFlags::EPOLLIN, token))
                .map_err(|errno| SystemError::new(errno, "epoll_ctl"))?;
        }
        let (watches, wakes_at) = (Mutex::default(), Mutex::default());
        let (groups, work) = (Mutex::default(), Mutex::default());
        Ok(Self { epoll, bell, watches, wakes_at, groups, work, next_token: AtomicU64::new(0) })
    }

    /// From now on the thread polls every child.
    fn fall_back_to_polling(&self) {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.values_mut().for_each(|watch| watch.is_registered = false);
    }

    /// Reaps the child if it has ended. A traced child that has ended has to be waited for by its tracer first: its
    /// descriptor is readable, but it cannot be reaped yet. So it is removed from epoll, which would report it in a
    /// busy loop.
    fn check(&self, token: u64) {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watch) = watches.get_mut(&token) else { return };
        let exit = ended(&watch.pidfd);
        if watch.is_registered {
            // It is removed explicitly, because other code may hold the descriptor, and it stays readable.
            let _ = self.epoll.delete(&*watch.pidfd);
            watch.is_registered = false;
        }
        let Some(exit) = exit else { return };
        let watch = watches.remove(&token);
        drop(watches);
        if let Some(Watch { pidfd, on_exit, .. }) = watch {
            drop(pidfd);
            // A panic of a callback must not end this thread or prevent other callbacks.
            let _ = catch_unwind(AssertUnwindSafe(|| on_exit(exit)));
        }
    }

    /// Kills the children whose deadline has passed. Returns the next deadline.
    fn kill_overdue(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        for watch in watches.values_mut() {
            if watch.deadline.take_if(|deadline| *deadline <= now).is_some() {
                pidfd::kill(&watch.pidfd, Signal::SIGKILL);
            }
        }
        let next = watches.values().filter_map(|watch| watch.deadline).min();
        *self.wakes_at.lock().unwrap_or_else(PoisonError::into_inner) = next;
        next
    }

    /// Whether the thread would miss this time.
    fn sleeps_beyond(&self, time: Instant) -> bool {
        self.wakes_at.lock().unwrap_or_else(PoisonError::into_inner).is_none_or(|wakes_at| time < wakes_at)
    }

    /// Reaps the members of the groups that have ended. Returns whether there are more.
    fn check_groups(&self) -> bool {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.retain(|group| !group.reap(Duration::ZERO));
        !groups.is_empty()
    }

    fn do_work(&self) {
        let all = std::mem::take(&mut *self.work.lock().unwrap_or_else(PoisonError::into_inner));
        for work in all {
            let _ = catch_unwind(AssertUnwindSafe(work));
        }
    }

    /// Checks the children that epoll does not report. Returns whether there are still some.
    fn check_unregistered(&self) -> bool {
        let unregistered = || -> Vec<u64> {
            let watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
            watches.iter().filter(|(_, watch)| !watch.is_registered).map(|(token, _)| *token).collect()
        };
        for token in unregistered() {
            self.check(token);
        }
        !unregistered().is_empty()
    }
}

/// The time until a deadline, at least a millisecond.
fn until(deadline: Instant) -> EpollTimeout {
    let left = deadline.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
    EpollTimeout::try_from(left).unwrap_or(EpollTimeout::from(u8::MAX))
}

/// Reaps the child if it has ended and no tracer keeps it, and returns how it ended.
fn ended(pidfd: &OwnedFd) -> Option<Exit> {
    loop {
        return match wait(pidfd) {
            Err(Errno::EINTR) => continue,
            Err(Errno::ECHILD) => Some(Exit::Unknown),
            // After any other error, the next check shows whether it was reaped.
            other => other.ok().flatten(),
        };
    }
}

/// This calls waitid(2) directly, because nix has no name for real-time signals, and fails for a child that one of them
/// has ended.
fn wait(pidfd: &OwnedFd) -> nix::Result<Option<Exit>> {
    let flags = libc::WEXITED | libc::WNOHANG | libc::__WALL;
    // SAFETY: the structure contains plain numbers, for which all bits zero are valid.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes to `info`, which lives longer than the call.
    let waited = unsafe { libc::waitid(libc::P_PIDFD, pidfd.as_raw_fd().cast_unsigned(), &raw mut info, flags) };
    Errno::result(waited)?;
    // SAFETY: the kernel has filled it in as for SIGCHLD, or left it zero if no child has ended.
    let status = unsafe { info.si_status() };
    Ok(match info.si_code {
        libc::CLD_EXITED => Some(Exit::Code(status)),
        libc::CLD_KILLED | libc::CLD_DUMPED => Some(Exit::Signal(status)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::{process::Command, sync::mpsc::channel};

    use super::*;

    /// A child of this process that would run for long.
    fn long_child() -> Arc<OwnedFd> {
        #[expect(clippy::zombie_processes, reason = "the thread reaps it")]
        let child = Command::new("sleep").arg("60").spawn().unwrap();
        Arc::new(pidfd::open(child.id().cast_signed()).unwrap())
    }

    #[test]
    fn each_child_is_killed_at_its_deadline_whatever_the_order() {
        start().unwrap();
        let (ended, ends) = channel();
        let begin = Instant::now();
        let after = |milliseconds| begin + Duration::from_millis(milliseconds);
        for deadline in [after(600), after(200), after(900)] {
            let ended = ended.clone();
            let on_exit = move |exit| ended.send((exit, deadline, Instant::now())).unwrap();
            watch_until(Some(deadline), long_child(), Box::new(on_exit));
        }
        for expected in [200, 600, 900] {
            let (exit, deadline, end) = ends.recv_timeout(Duration::from_secs(20)).unwrap();
            assert_eq!((exit, deadline), (Exit::Signal(libc::SIGKILL), after(expected)));
            assert!(end >= deadline);
        }
    }

    #[test]
    fn a_later_deadline_does_not_wake_the_thread() {
        start().unwrap();
        let reaper = get().unwrap();
        let soon = Instant::now() + Duration::from_secs(30);
        let child = long_child();
        let (ended, ends) = channel();
        watch_until(Some(soon), Arc::clone(&child), Box::new(move |exit| ended.send(exit).unwrap()));
        while reaper.sleeps_beyond(soon) {
            thread::sleep(Duration::from_millis(1));
        }
        assert!(!reaper.sleeps_beyond(soon + Duration::from_secs(1)));
        pidfd::kill(&child, Signal::SIGKILL);
        ends.recv_timeout(Duration::from_secs(20)).unwrap();
    }
}
