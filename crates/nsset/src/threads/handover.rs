//! Work that one thread gives to another, for whose result it waits.

use std::{
    os::fd::AsFd,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::PollTimeout,
    sys::eventfd::{EfdFlags, EventFd},
    unistd::{Pid, gettid},
};

use crate::{
    cancel::{Cancel, TIME_LIMIT, wait_readable},
    error::{Result, SystemError},
    threads::end::await_end,
    threads::thread::is_not_restored,
};

/// How long work may wait for a thread before another thread is started for it. Most work takes less time than this.
pub(crate) const HELD_UP: Duration = Duration::from_millis(3);

/// The pauses after which a waiting thread checks this double up to here.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// One end of the handover of a piece of work; a clone is for the other thread.
pub(crate) struct Handover<T>(Arc<Shared<T>>);

struct Shared<T> {
    state: Mutex<State<T>>,
    waker: Waker,
}

enum State<T> {
    /// No thread has started the work.
    Waiting,
    Begun,
    /// The result, and the id of the thread that did the work if that thread is about to end.
    Done(Result<T>, Option<Pid>),
    /// The caller does not need the result any more.
    Unwanted,
}

/// What wakes the waiting thread.
enum Waker {
    Thread(Thread),
    /// For a wait that can be cancelled, which polls two descriptors.
    Event(EventFd),
}

impl<T> Clone for Handover<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Handover<T> {
    /// Creates a handover for which the calling thread waits.
    pub(crate) fn new(is_cancellable: bool) -> Result<Self> {
        let waker = if is_cancellable {
            let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK);
            Waker::Event(event.map_err(|errno| SystemError::new(errno, "eventfd2"))?)
        } else {
            Waker::Thread(thread::current())
        };
        Ok(Self(Arc::new(Shared { state: Mutex::new(State::Waiting), waker })))
    }

    /// Does the work on the calling thread, unless the other thread has given up, and wakes the other thread.
    pub(crate) fn run(self, work: impl FnOnce() -> Result<T>) {
        {
            let mut state = self.state();
            if matches!(*state, State::Unwanted) {
                return;
            }
            *state = State::Begun;
        }
        let interrupted = |_| Err(SystemError::new(Errno::ECANCELED, "unshare").into());
        let outcome = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(interrupted);
        let ending = is_not_restored().then(gettid);
        let mut state = self.state();
        if !matches!(*state, State::Unwanted) {
            *state = State::Done(outcome, ending);
            drop(state);
            self.wake();
        }
    }

    /// Waits for the result. While no thread has started the work, `ensure_thread` is called, which returns whether a
    /// thread will start it. `None` if none will.
    pub(crate) fn wait(self, cancel: Option<&Cancel>, ensure_thread: impl Fn() -> bool) -> Result<Option<T>> {
        let deadline = Instant::now() + TIME_LIMIT;
        let mut pause = HELD_UP;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let waited = self.sleep(cancel, pause.min(left));
            if let Some((outcome, ending)) = self.take() {
                await_end(ending.as_slice());
                // The result is dropped if the call was cancelled.
                return waited.and(outcome).map(Some);
            }
            if let Err(error) = waited {
                self.give_up();
                return Err(error);
            }
            if left == Duration::ZERO {
                self.give_up();
                let hint = format!("the kernel did not finish within {} s", TIME_LIMIT.as_secs());
                return Err(SystemError::new(Errno::ETIMEDOUT, "unshare").hint(hint).into());
            }
            if self.is_waiting() && !ensure_thread() {
                self.give_up();
                return Ok(None);
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    fn sleep(&self, cancel: Option<&Cancel>, limit: Duration) -> Result<()> {
        match &self.0.waker {
            Waker::Thread(_) => thread::park_timeout(limit),
            Waker::Event(event) => {
                // Rounded up: poll(2) counts whole milliseconds, and a shorter wait would end before the deadline.
                let limit = limit + Duration::from_micros(999);
                let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
                wait_readable(Some(event.as_fd()), cancel, limit)?;
            }
        }
        Ok(())
    }

    fn wake(&self) {
        match &self.0.waker {
            Waker::Thread(thread) => thread.unpark(),
            // The write fails only if the counter is full, and then the event is readable already.
            Waker::Event(event) => drop(event.write(1)),
        }
    }

    fn take(&self) -> Option<(Result<T>, Option<Pid>)> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Unwanted) {
            State::Done(outcome, ending) => Some((outcome, ending)),
            before => {
                *state = before;
                None
            }
        }
    }

    fn is_waiting(&self) -> bool {
        matches!(*self.state(), State::Waiting)
    }

    fn give_up(&self) {
        let before = std::mem::replace(&mut *self.state(), State::Unwanted);
        drop(before);
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_was_given_up_is_not_started() {
        let handover = Handover::new(false).unwrap();
        handover.give_up();
        let mut calls = 0;
        handover.clone().run(|| {
            calls += 1;
            Ok(())
        });
        assert_eq!(calls, 0);
    }

    #[test]
    fn work_that_no_thread_will_start_is_given_up() {
        let handover = Handover::<()>::new(false).unwrap();
        assert!(handover.clone().wait(None, || false).unwrap().is_none());
        assert!(!handover.is_waiting());
    }
}
