//! Continues children that other processes stop while our thread sleeps in clone(2).
//!
//! With `CLONE_VFORK` a thread sleeps until its child has executed a program, and a process that may signal the child
//! (any of the same user) may stop it before. SIGSTOP cannot be blocked, and the thread would sleep forever. A child
//! that is stopped repeatedly is killed at last.

use std::{
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    time::{Duration, Instant},
};

use nix::{
    libc::{SIGCONT, SIGKILL},
    sys::{
        time::TimeSpec,
        timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags},
        wait::Id,
    },
};

use crate::{
    cancel::TIME_LIMIT, children::patience::Patience, children::pidfd, children::process_group, children::traced,
};

/// When the children of sleeping threads are continued for the first time. A launch takes a small part of it. The kernel
/// would have to program its timer for a shorter time, which costs more than the rest of starting and stopping it.
const FIRST_POLL: Duration = Duration::from_millis(10);

/// The interval at which they are continued from then on.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// After this many intervals nsset checks whether a tracer keeps the child stopped.
const POLLS_PER_TRACE_CHECK: u32 = 100;

/// The launches in progress, and the timer that ticks while there are any.
#[derive(Debug)]
pub struct Launches {
    clock: TimerFd,
    under_way: Mutex<Vec<Arc<Launch>>>,
}

#[derive(Debug)]
pub struct Launch {
    /// Written by the kernel before the child runs; -1 until then.
    pub pidfd: AtomicI32,
    observed: Mutex<Observed>,
    is_given_up: AtomicBool,
}

/// What the checks of the child have found.
#[derive(Debug)]
struct Observed {
    since: Instant,
    count: u32,
    patience: Patience,
}

/// One launch in progress, until it is dropped.
#[derive(Debug)]
pub struct Watch(Arc<Launch>);

static LAUNCHES: OnceLock<Launches> = OnceLock::new();

/// The timer for which the reaper waits besides children. It is created once; after a failure the next call tries
/// again.
pub fn start() -> nix::Result<&'static Launches> {
    if let Some(launches) = LAUNCHES.get() {
        return Ok(launches);
    }
    let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
    let clock = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
    Ok(LAUNCHES.get_or_init(|| Launches { clock, under_way: Mutex::new(Vec::new()) }))
}

/// The result of [`start`].
pub fn launches() -> Option<&'static Launches> {
    LAUNCHES.get()
}

/// Adds a launch to the list.
pub fn watch(launch: Arc<Launch>) -> Watch {
    if let Some(launches) = launches() {
        launches.change(|under_way| under_way.push(Arc::clone(&launch)));
    }
    Watch(launch)
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(launches) = launches() {
            launches.change(|under_way| under_way.retain(|launch| !Arc::ptr_eq(launch, &self.0)));
        }
    }
}

impl Launch {
    pub fn new() -> Arc<Self> {
        let (pidfd, is_given_up) = (AtomicI32::new(-1), AtomicBool::new(false));
        let observed = Observed { since: Instant::now(), count: 0, patience: Patience::default() };
        Arc::new(Self { pidfd, observed: Mutex::new(observed), is_given_up })
    }

    /// Whether its child was killed, because it was stopped repeatedly or did not execute its program in time.
    pub fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }

    fn continue_child(&self) {
        let fd = self.pidfd.load(Ordering::Relaxed);
        if fd < 0 {
            return;
        }
        // SAFETY: the sleeping thread owns it, and cannot close it before it has left the list.
        let child = unsafe { BorrowedFd::borrow_raw(fd) };
        let is_given_up = self.observed.lock().unwrap_or_else(PoisonError::into_inner).check(child);
        self.is_given_up.fetch_or(is_given_up, Ordering::Relaxed);
        let _ = pidfd::send_signal(child, if is_given_up { SIGKILL } else { SIGCONT });
    }
}

impl Observed {
    /// Returns whether nsset should give up the child.
    fn check(&mut self, child: BorrowedFd<'_>) -> bool {
        self.count += 1;
        if process_group::continue_if_stopped(Id::PIDFd(child)) {
            self.patience.note_stop();
        }
        if self.count.is_multiple_of(POLLS_PER_TRACE_CHECK) {
            self.patience.note_trace(traced::is_kept(child));
        }
        // A file system that does not answer holds up chdir(2) and execve(2).
        self.patience.is_over() || self.since.elapsed() > TIME_LIMIT
    }
}

impl Launches {
    /// Changes the list. The timer runs while the list has an entry.
    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Launch>>)) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let was_idle = under_way.is_empty();
        change(&mut under_way);
        match (was_idle, under_way.is_empty()) {
            (true, false) => {
                let tick = Expiration::IntervalDelayed(TimeSpec::from(FIRST_POLL), TimeSpec::from(POLL_INTERVAL));
                let _ = self.clock.set(tick, TimerSetTimeFlags::empty());
            }
            (false, true) => drop(self.clock.unset()),
            _ => {}
        }
    }

    /// Called on the thread of the reaper at each tick of the timer.
    pub fn continue_children(&self) {
        let _ = self.clock.wait();
        // The lock is held during the loop, so that no descriptor of the list is closed and its number reused.
        for launch in self.under_way.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            launch.continue_child();
        }
    }
}

impl AsFd for Launches {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.clock.as_fd()
    }
}
