//! The home thread makes and enters namespaces for callers, one piece of work at a time, and returns to its own
//! namespaces before it waits for more work.
//!
//! A thread that could not return does no further work: it ends, and another thread replaces it. While a piece of work
//! is held up, for example because the kernel makes no network while it removes many, further threads do the work of
//! other callers.

use std::{
    cell::Cell,
    collections::VecDeque,
    mem,
    sync::{
        Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::Builder,
    time::Duration,
};

use nix::{errno::Errno, unistd::gettid};

use crate::{
    cancel::Cancel,
    children::reaper,
    error::{Error, Result, SystemError, last_errno},
    outside,
    threads::end::await_end,
    threads::handover::{self, Handover},
    threads::placement::Placement,
    threads::thread::{self, HeldNamespaces, is_not_restored},
};

/// The calls of the thread need little stack; the thread-local data of the C library may need more.
const STACK: usize = 256 * 1024;

/// If this many pieces of work are held up, all others wait.
const MOST_THREADS: usize = 64;

/// How long work may wait for a thread before another thread is started for it. Most work takes less time than this.
pub const HELD_UP: Duration = handover::HELD_UP;

/// How long an additional thread waits for work before it ends.
const IDLE: Duration = Duration::from_secs(1);

type Work = Box<dyn FnOnce() + Send>;

struct Pool {
    work: VecDeque<Work>,
    threads: usize,
    /// The number of threads that wait for work.
    idle: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { work: VecDeque::new(), threads: 0, idle: 0 });
static WORK: Condvar = Condvar::new();

/// Where the thread waits, if it is the only one.
static PLACEMENT: Placement = Placement::new();

thread_local! {
    static IS_HOME_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// The namespaces in which the first thread was started, and thus all of them.
static HOME: OnceLock<HeldNamespaces> = OnceLock::new();

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that was started and may not have initialised itself yet.
#[derive(Debug)]
#[must_use = "the thread may not have opened what it holds"]
pub struct Starting(Option<Receiver<Result<()>>>);

impl Starting {
    /// Waits until the thread holds its namespaces open.
    ///
    /// # Errors
    /// [`Error::System`] if the thread could not open them; it has then ended.
    pub fn finish(self) -> Result<()> {
        self.0.map_or(Ok(()), |is_ready| is_ready.recv().unwrap_or_else(|_| Err(failed(Errno::ECANCELED))))
    }
}

/// Starts the thread, unless there is one. After a failure, the next call tries again.
///
/// # Errors
/// [`Error::System`] with the error of pthread_create(3), and `EAGAIN` if the calling thread is inside and nsset has
/// not started a thread outside yet.
pub fn start() -> Result<Starting> {
    let Some(slot) = Slot::take_if(|pool| pool.threads == 0) else { return Ok(Starting(None)) };
    begin(slot).map(|is_ready| Starting(Some(is_ready)))
}

/// Runs work on the home thread, and waits for its result until the time limit of the crate or a cancellation.
/// Cancelled work is not started; if it has been started, its result is dropped.
///
/// `None` if there is no such thread and none could be started.
pub(crate) fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
    cancel: Option<&Cancel>,
) -> Result<Option<T>> {
    if IS_HOME_THREAD.get() {
        // Work that was queued may consist of several pieces.
        return work().map(Some);
    }
    if start().and_then(Starting::finish).is_err() {
        return Ok(None);
    }
    let handover = Handover::new(cancel.is_some())?;
    let theirs = handover.clone();
    PLACEMENT.bring_here();
    pool().work.push_back(Box::new(move || theirs.run(work)));
    WORK.notify_one();
    handover.wait(cancel, start_thread_if_needed)
}

/// Queues work for which the caller does not wait. The work returns what reports its end, which is called when the thread
/// is home again, or has ended. Returns whether a thread is free for it: otherwise [`relieve`] has to be called until
/// nothing waits.
///
/// # Errors
/// [`Error::System`] if there is no thread and none could be started.
pub fn queue<R: FnOnce() + Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<bool> {
    start().and_then(Starting::finish)?;
    PLACEMENT.bring_here();
    let mut pool = pool();
    pool.work.push_back(Box::new(move || report(work())));
    let is_free = pool.work.len() <= pool.idle;
    drop(pool);
    WORK.notify_one();
    Ok(is_free)
}

/// Starts one more thread if work waits and no thread is free. Returns whether work waits.
pub fn relieve() -> bool {
    start_thread_if_needed();
    !pool().work.is_empty()
}

fn report(end: impl FnOnce() + Send + 'static) {
    if !is_not_restored() {
        return end();
    }
    let thread = gettid();
    let when_over = move || {
        await_end(&[thread]);
        end();
    };
    // Without the reaper, the end is dropped, which its receiver notices.
    let _ = reaper::run(Box::new(when_over));
}

/// Starts one more thread if work waits and no thread is free. Returns whether there is any thread.
fn start_thread_if_needed() -> bool {
    let is_needed = |pool: &Pool| !pool.work.is_empty() && pool.idle == 0 && pool.threads < MOST_THREADS;
    let begin_and_finish = |slot| begin(slot).and_then(|is_ready| Starting(Some(is_ready)).finish());
    // If no further thread can be started, the existing ones do the work.
    Slot::take_if(is_needed).is_none_or(|slot| begin_and_finish(slot).is_ok()) || pool().threads > 0
}

/// Counts one thread that runs, or is about to be started, until it is dropped.
struct Slot;

impl Slot {
    fn take_if(condition: impl FnOnce(&Pool) -> bool) -> Option<Self> {
        let mut pool = pool();
        condition(&pool).then(|| {
            pool.threads += 1;
            Self
        })
    }
}

impl Slot {
    /// The same as dropping it, for a caller that has locked the pool: no other thread can act on the old count.
    fn leave(self, pool: &mut Pool) {
        pool.threads -= 1;
        mem::forget(self);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        pool().threads -= 1;
    }
}

/// Starts a thread outside: from the calling thread if that is outside, and otherwise from the reaper, which never
/// enters a namespace.
fn begin(slot: Slot) -> Result<Receiver<Result<()>>> {
    if outside::ensure().is_ok() {
        return begin_on_this_thread(slot);
    }
    let (sender, receiver) = channel();
    reaper::run(Box::new(move || drop(sender.send(begin_on_this_thread(slot)))))?;
    receiver.recv().unwrap_or_else(|_| Err(failed(Errno::ECANCELED)))
}

fn begin_on_this_thread(slot: Slot) -> Result<Receiver<Result<()>>> {
    let held = held_namespaces()?;
    let (ready, is_ready) = channel();
    let thread = Builder::new().name("nsset-home".into()).stack_size(STACK);
    let started = thread.spawn(move || serve(slot, held, ready));
    started.map(|_| is_ready).map_err(|error| failed(last_errno(&error)))
}

fn held_namespaces() -> Result<HeldNamespaces> {
    if let Some(held) = HOME.get() {
        return Ok(held.clone());
    }
    let held = thread::held_namespaces()?;
    Ok(HOME.get_or_init(|| held).clone())
}

fn serve(slot: Slot, held: HeldNamespaces, ready: Sender<Result<()>>) {
    if let Err(error) = held.remember() {
        // The slot is freed before the error is sent, so that the next call starts another thread.
        drop(slot);
        let _ = ready.send(Err(error));
        return;
    }
    let _ = ready.send(Ok(()));
    drop(ready);
    work(slot);
}

/// Does work without end. An additional thread ends when it has had no work for a while.
fn work(slot: Slot) {
    IS_HOME_THREAD.set(true);
    let mut pool = pool();
    loop {
        if let Some(work) = pool.work.pop_front() {
            drop(pool);
            work();
            if is_not_restored() {
                return replace_thread(slot);
            }
            pool = self::pool();
            continue;
        }
        pool.idle += 1;
        let is_only = pool.threads == 1;
        pool = if is_only { wait(pool) } else { wait_for(pool, IDLE) };
        pool.idle -= 1;
        if !is_only && pool.work.is_empty() && pool.threads > 1 {
            return slot.leave(&mut pool);
        }
    }
}

fn wait(pool: MutexGuard<'_, Pool>) -> MutexGuard<'_, Pool> {
    PLACEMENT.wait_here();
    let pool = WORK.wait(pool).unwrap_or_else(PoisonError::into_inner);
    PLACEMENT.resume();
    pool
}

fn wait_for(pool: MutexGuard<'_, Pool>, limit: Duration) -> MutexGuard<'_, Pool> {
    WORK.wait_timeout(pool, limit).unwrap_or_else(PoisonError::into_inner).0
}

/// Replaces the calling thread. It could not return to its own namespaces, so a thread that it started would be in the
/// wrong ones, too: the reaper starts the new one. If the reaper cannot, the next call tries again.
fn replace_thread(slot: Slot) {
    let _ = reaper::run(Box::new(move || drop(begin_on_this_thread(slot))));
}

fn failed(errno: Errno) -> Error {
    SystemError::new(errno, "pthread_create").into()
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc::channel, thread, time::Instant};

    use super::*;
    use crate::error::Error;

    #[test]
    fn work_that_is_held_up_holds_up_no_other() {
        let (begun, has_begun) = channel();
        let (end, may_end) = channel::<()>();
        let held_up = thread::spawn(move || {
            run(
                move || {
                    begun.send(()).unwrap();
                    may_end.recv().unwrap();
                    Ok("late")
                },
                None,
            )
        });
        has_begun.recv().unwrap();
        let since = Instant::now();
        assert_eq!(run(|| Ok("soon"), None).unwrap(), Some("soon"));
        assert!(since.elapsed() < Duration::from_secs(1));
        end.send(()).unwrap();
        assert_eq!(held_up.join().unwrap().unwrap(), Some("late"));
    }

    #[test]
    fn queued_work_reports_its_end_and_may_consist_of_several_pieces() {
        let (done, is_done) = channel();
        queue(move || {
            let inner = run(|| Ok(thread::current().id()), None).unwrap();
            move || done.send(inner == Some(thread::current().id())).unwrap()
        })
        .unwrap();
        assert!(is_done.recv_timeout(Duration::from_secs(5)).unwrap());
    }

    #[test]
    fn queued_work_that_is_held_up_can_be_relieved() {
        let (end, may_end) = channel::<()>();
        let (done, is_done) = channel();
        queue(move || {
            may_end.recv().unwrap();
            || ()
        })
        .unwrap();
        queue(move || move || done.send(()).unwrap()).unwrap();
        while relieve() {
            thread::sleep(HELD_UP);
        }
        is_done.recv_timeout(Duration::from_secs(5)).unwrap();
        end.send(()).unwrap();
    }

    #[test]
    fn work_that_panics_is_an_error_and_the_thread_goes_on() {
        let panicked = run(|| -> Result<()> { panic!("an odd piece of work") }, None);
        assert!(matches!(panicked, Err(Error::System(error)) if error.errno == Errno::ECANCELED));
        assert_eq!(run(|| Ok(1), None).unwrap(), Some(1));
    }

    #[test]
    fn a_cancelled_wait_ends_while_the_work_goes_on() {
        let cancel = Cancel::new().unwrap();
        let (end, may_end) = channel::<()>();
        let (dropped, was_dropped) = channel::<()>();
        let canceller = cancel.clone();
        let outcome = run(
            move || {
                canceller.cancel();
                let _ = may_end.recv();
                Ok(dropped)
            },
            Some(&cancel),
        );
        assert!(matches!(outcome, Err(Error::Aborted)));
        end.send(()).unwrap();
        // The result was dropped, and so the other end of the channel is closed.
        was_dropped.recv_timeout(Duration::from_secs(5)).expect_err("nothing was sent");
    }

    #[test]
    fn additional_threads_end_when_there_is_no_more_work() {
        let slow = || {
            thread::sleep(IDLE / 10);
            Ok(())
        };
        let callers: Vec<_> = (0..4).map(|_| thread::spawn(move || run(slow, None))).collect();
        for caller in callers {
            assert_eq!(caller.join().unwrap().unwrap(), Some(()));
        }
        let deadline = Instant::now() + 20 * IDLE;
        while pool().threads > 1 && Instant::now() < deadline {
            thread::sleep(IDLE / 20);
        }
        assert_eq!(pool().threads, 1);
    }
}
