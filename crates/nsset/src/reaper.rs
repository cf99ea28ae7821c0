//! One thread that waits for processes to end, so that nobody else has to and no zombie stays.

use std::{
    collections::HashMap,
    os::fd::{AsFd, OwnedFd},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use nix::{
    errno::Errno,
    sys::{
        epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout},
        wait::{Id, WaitPidFlag, WaitStatus, waitid},
    },
};

use crate::stopped;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    /// The number of the signal.
    Signal(i32),
    /// Somebody else in this process waited for it first.
    Unknown,
}

type OnExit = Box<dyn FnOnce(Exit) + Send>;

#[derive(Debug)]
struct Reaper {
    epoll: Epoll,
    watches: Mutex<HashMap<u64, Watch>>,
    next_token: AtomicU64,
}

struct Watch {
    pidfd: Arc<OwnedFd>,
    on_exit: OnExit,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Watch").field("pidfd", &self.pidfd).finish_non_exhaustive()
    }
}

/// The token of the clock that ticks while a helper is being launched; children's count from 0.
const CLOCK: u64 = u64::MAX;

static REAPER: OnceLock<Reaper> = OnceLock::new();

/// Starts the thread. To be called before anything is entered: a thread inherits the namespaces of the one that starts it.
pub fn start() {
    get();
}

fn get() -> &'static Reaper {
    let mut created = false;
    let reaper = REAPER.get_or_init(|| {
        created = true;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("an epoll instance for the reaper");
        if let Some(launches) = stopped::launches() {
            let _ = epoll.add(launches, EpollEvent::new(EpollFlags::EPOLLIN, CLOCK));
        }
        Reaper { epoll, watches: Mutex::new(HashMap::new()), next_token: AtomicU64::new(0) }
    });
    if created {
        thread::Builder::new()
            .name("nsset-reaper".into())
            .stack_size(256 * 1024)
            .spawn(|| serve(reaper))
            .expect("a thread for the reaper");
    }
    reaper
}

/// Reaps the child behind `pidfd` when it ends, and then calls `on_exit`, on the reaper's thread.
pub fn watch(pidfd: Arc<OwnedFd>, on_exit: OnExit) {
    let reaper = get();
    let token = reaper.next_token.fetch_add(1, Ordering::Relaxed);
    let mut watches = reaper.watches.lock().unwrap_or_else(PoisonError::into_inner);
    let event = EpollEvent::new(EpollFlags::EPOLLIN, token);
    match reaper.epoll.add(&pidfd, event) {
        Ok(()) => drop(watches.insert(token, Watch { pidfd, on_exit })),
        // Out of memory or of watches (epoll_ctl(2)): a thread for this one; it starts where this thread stands.
        Err(_) => drop(thread::spawn(move || on_exit(wait(&pidfd)))),
    }
}

fn serve(reaper: &Reaper) {
    let mut events = [EpollEvent::empty(); 64];
    loop {
        let count = match reaper.epoll.wait(&mut events, EpollTimeout::NONE) {
            Ok(count) => count,
            Err(Errno::EINTR) => continue,
            Err(errno) => unreachable!("epoll_wait: {errno}"),
        };
        for event in &events[..count] {
            if event.data() == CLOCK {
                stopped::launches().inspect(|launches| launches.set_going());
                continue;
            }
            let mut watches = reaper.watches.lock().unwrap_or_else(PoisonError::into_inner);
            let watch = watches.remove(&event.data());
            drop(watches);
            if let Some(Watch { pidfd, on_exit }) = watch {
                let exit = wait(&pidfd);
                // Others may hold the descriptor, which stays readable.
                let _ = reaper.epoll.delete(&*pidfd);
                drop(pidfd);
                on_exit(exit);
            }
        }
    }
}

/// Waits for a child that has ended or is about to, and reaps it.
pub(crate) fn wait(pidfd: &OwnedFd) -> Exit {
    loop {
        return match waitid(Id::PIDFd(pidfd.as_fd()), WaitPidFlag::WEXITED | WaitPidFlag::__WALL) {
            Ok(WaitStatus::Exited(_, code)) => Exit::Code(code),
            Ok(WaitStatus::Signaled(_, signal, _)) => Exit::Signal(signal as i32),
            Err(Errno::EINTR) => continue,
            _ => Exit::Unknown,
        };
    }
}
