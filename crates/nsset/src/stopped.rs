//! Sets going again what somebody stopped while our thread sleeps in clone(2).
//!
//! `CLONE_VFORK` lets a thread sleep until its child has exec'd, and whoever may signal the child (any process of the same
//! user) may stop it before. SIGSTOP cannot be blocked, and the thread could do nothing about it for ever.

use std::{
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicI32, Ordering},
    },
    time::Duration,
};

use nix::{
    libc::SIGCONT,
    sys::{
        time::TimeSpec,
        timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags},
    },
};

use crate::pidfd;

/// How often the children of sleeping threads are set going; a launch takes a small part of this.
const GLANCE: Duration = Duration::from_millis(1);

/// The launches that are under way, and the clock that ticks while there are any.
#[derive(Debug)]
pub struct Launches {
    clock: TimerFd,
    under_way: Mutex<Vec<Arc<AtomicI32>>>,
}

/// One launch under way, until it is dropped.
#[derive(Debug)]
pub struct Watch(Arc<AtomicI32>);

static LAUNCHES: OnceLock<Launches> = OnceLock::new();

/// What the reaper's thread waits for besides children. It is made once; where that fails, the next call tries again.
pub fn start() -> nix::Result<&'static Launches> {
    if let Some(launches) = LAUNCHES.get() {
        return Ok(launches);
    }
    let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
    let clock = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
    Ok(LAUNCHES.get_or_init(|| Launches { clock, under_way: Mutex::new(Vec::new()) }))
}

/// What [`start`] has made.
pub fn launches() -> Option<&'static Launches> {
    LAUNCHES.get()
}

/// Watches over a launch whose pidfd the kernel is about to write.
pub fn watch(pidfd: Arc<AtomicI32>) -> Watch {
    if let Some(launches) = launches() {
        launches.change(|under_way| under_way.push(Arc::clone(&pidfd)));
    }
    Watch(pidfd)
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(launches) = launches() {
            launches.change(|under_way| under_way.retain(|pidfd| !Arc::ptr_eq(pidfd, &self.0)));
        }
    }
}

impl Launches {
    /// Changes the list, and has the clock tick while there is something on it.
    fn change(&self, change: impl FnOnce(&mut Vec<Arc<AtomicI32>>)) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let was_idle = under_way.is_empty();
        change(&mut under_way);
        match (was_idle, under_way.is_empty()) {
            (true, false) => {
                let tick = Expiration::Interval(TimeSpec::from(GLANCE));
                let _ = self.clock.set(tick, TimerSetTimeFlags::empty());
            }
            (false, true) => drop(self.clock.unset()),
            _ => {}
        }
    }

    /// Called on the reaper's thread when the clock has ticked.
    pub fn set_going(&self) {
        let _ = self.clock.wait();
        // The lock is held meanwhile, so no descriptor of the list is closed and given to somebody else.
        for pidfd in self.under_way.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let fd = pidfd.load(Ordering::Relaxed);
            if fd >= 0 {
                // SAFETY: the thread that sleeps owns it, and cannot close it before it has left the list.
                let child = unsafe { BorrowedFd::borrow_raw(fd) };
                let _ = pidfd::send_signal(child, SIGCONT);
            }
        }
    }
}

impl AsFd for Launches {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.clock.as_fd()
    }
}
