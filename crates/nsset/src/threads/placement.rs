//! Where a thread waits for work: on the CPU of the thread that hands the work over, if possible.
//!
//! The wake-up of a thread on an idle CPU costs an interrupt, and in a virtual machine also two exits to the hypervisor:
//! 20 to 30 µs, which is more than most work takes. On one CPU it costs a switch of threads.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity},
    unistd::{Pid, gettid},
};

/// The number of moves in quick succession. The kernel then prefers another CPU for the thread, or for its callers, and each
/// move would be undone.
const MOST_MOVES: u8 = 8;

/// The interval of further moves.
const INTERVAL: Duration = Duration::from_millis(100);

/// Work that takes longer gains little from the same CPU, and can run beside a caller that does not wait for it.
const BRIEF: Duration = Duration::from_micros(200);

/// Where one thread waits. The thread can be moved to the CPU of a caller while it waits, and takes its own CPU affinity again
/// as soon as it resumes. So its work, and what the work starts, has the affinity that the thread had before.
#[derive(Debug)]
pub struct Placement(Mutex<State>);

#[derive(Debug)]
struct State {
    /// The thread and its CPU, while it waits.
    waiting: Option<(Pid, usize)>,
    /// The affinity that the thread had before it was moved.
    before: Option<CpuSet>,
    /// When the thread has resumed, until it waits again.
    resumed: Option<Instant>,
    /// How long the thread worked before it began to wait.
    worked: Duration,
    moves: Moves,
}

impl Placement {
    pub const fn new() -> Self {
        let moves = Moves::new();
        Self(Mutex::new(State { waiting: None, before: None, resumed: None, worked: Duration::ZERO, moves }))
    }

    /// Called by the thread before it waits.
    pub fn wait_here(&self) {
        let waiting = sched_getcpu().ok().map(|cpu| (this_thread(), cpu));
        let mut state = self.state();
        state.waiting = waiting;
        state.worked = state.resumed.take().map_or(Duration::ZERO, |resumed| resumed.elapsed());
    }

    /// Called by the thread after it has waited.
    pub fn resume(&self) {
        let mut state = self.state();
        state.waiting = None;
        state.resumed = Some(Instant::now());
        if let Some(before) = state.before.take() {
            restore(Pid::from_raw(0), &before);
        }
    }

    /// Has the thread resume on the CPU of the calling thread, if it waits on another one. The thread is woken by the caller.
    pub fn bring_here(&self) {
        self.state().bring_here();
    }

    /// The same, unless the last work of the thread took long: for a caller that does not wait.
    pub fn bring_here_if_brief(&self) {
        let mut state = self.state();
        if state.worked < BRIEF {
            state.bring_here();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Placement {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn bring_here(&mut self) {
        let Some((thread, there)) = self.waiting else { return };
        let Ok(here) = sched_getcpu() else { return };
        if here == there {
            self.moves.note_stay();
        } else if self.before.is_none() && self.moves.are_allowed() {
            self.before = move_to(thread, here);
            self.moves.note_move();
        }
    }
}

/// The CPU of a process that works only while a thread waits for it, and that starts no other process. It stays on the CPU of
/// the thread for which it worked last, and so needs no system call to return.
#[derive(Debug)]
pub struct Follower {
    /// The CPU that it was moved to, and the affinity that it had before.
    moved: Option<(usize, CpuSet)>,
    moves: Moves,
}

impl Follower {
    pub const fn new() -> Self {
        Self { moved: None, moves: Moves::new() }
    }

    /// Has the process resume on the CPU of the calling thread. If it was moved too often, it takes its own affinity again.
    pub fn bring_here(&mut self, process: Pid) {
        let Ok(here) = sched_getcpu() else { return };
        if self.moved.is_some_and(|(there, _)| there == here) {
            return self.moves.note_stay();
        }
        let before = self.moved.take().map(|(_, before)| before);
        if !self.moves.are_allowed() {
            return before.iter().for_each(|before| restore(process, before));
        }
        self.moves.note_move();
        let own = before.or_else(|| sched_getaffinity(process).ok());
        self.moved = own.filter(|own| set_to(process, own, here)).map(|own| (here, own));
    }
}

impl Default for Follower {
    fn default() -> Self {
        Self::new()
    }
}

/// How many moves are allowed.
#[derive(Debug)]
struct Moves {
    left: u8,
    last: Option<Instant>,
}

impl Moves {
    const fn new() -> Self {
        Self { left: MOST_MOVES, last: None }
    }

    fn are_allowed(&self) -> bool {
        self.left > 0 || self.last.is_none_or(|last| last.elapsed() > INTERVAL)
    }

    fn note_move(&mut self) {
        self.left = self.left.saturating_sub(1);
        self.last = Some(Instant::now());
    }

    /// No move was needed.
    fn note_stay(&mut self) {
        self.left = (self.left + 1).min(MOST_MOVES);
    }
}

/// The id of the calling thread, which the kernel is asked for once.
fn this_thread() -> Pid {
    thread_local! {
        static ID: Pid = gettid();
    }
    ID.with(|id| *id)
}

/// Sets the affinity of a thread to one CPU. Returns the affinity before, or `None` if the thread stays where it is.
fn move_to(thread: Pid, cpu: usize) -> Option<CpuSet> {
    sched_getaffinity(thread).ok().filter(|own| set_to(thread, own, cpu))
}

/// Sets the affinity of a thread to one CPU, if that is among its own. Returns whether the kernel did.
fn set_to(thread: Pid, own: &CpuSet, cpu: usize) -> bool {
    let mut one = CpuSet::new();
    own.is_set(cpu).unwrap_or(false) && one.set(cpu).is_ok() && sched_setaffinity(thread, &one).is_ok()
}

/// Gives a thread its affinity back. If all of its CPUs were taken away meanwhile, it may run on every CPU of its cpuset(7).
fn restore(thread: Pid, own: &CpuSet) {
    if sched_setaffinity(thread, own).is_ok() {
        return;
    }
    let mut every = CpuSet::new();
    for cpu in 0..CpuSet::count() {
        let _ = every.set(cpu);
    }
    let _ = sched_setaffinity(thread, &every);
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;

    const THIS_THREAD: Pid = Pid::from_raw(0);

    /// The CPUs of this thread: the thread may run on two of them at least, or the test ends without a result.
    fn two_cpus() -> Option<(CpuSet, usize, usize)> {
        let all = sched_getaffinity(THIS_THREAD).unwrap();
        let mut each = (0..CpuSet::count()).filter(|cpu| all.is_set(*cpu).unwrap());
        let two = each.next().zip(each.next());
        if two.is_none() {
            eprintln!("skipped: this thread may run on one CPU only");
        }
        two.map(|(one, other)| (all, one, other))
    }

    fn only(cpu: usize) -> CpuSet {
        let mut set = CpuSet::new();
        set.set(cpu).unwrap();
        set
    }

    #[test]
    fn a_thread_resumes_on_the_cpu_of_the_caller_with_its_own_affinity() {
        let Some((all, one, other)) = two_cpus() else { return };
        let placement = Placement::new();
        let (waits, goes) = (Barrier::new(2), Barrier::new(2));
        let (moved, resumed) = thread::scope(|scope| {
            let thread = scope.spawn(|| {
                sched_setaffinity(THIS_THREAD, &only(one)).unwrap();
                placement.wait_here();
                sched_setaffinity(THIS_THREAD, &all).unwrap();
                waits.wait();
                goes.wait();
                let moved = sched_getaffinity(THIS_THREAD).unwrap();
                placement.resume();
                (moved, sched_getaffinity(THIS_THREAD).unwrap())
            });
            waits.wait();
            sched_setaffinity(THIS_THREAD, &only(other)).unwrap();
            placement.bring_here();
            goes.wait();
            thread.join().unwrap()
        });
        sched_setaffinity(THIS_THREAD, &all).unwrap();
        assert_eq!((moved, resumed), (only(other), all));
    }

    #[test]
    fn a_thread_that_does_not_wait_stays_where_it_is() {
        let Some((all, _, _)) = two_cpus() else { return };
        let placement = Placement::new();
        placement.bring_here();
        placement.wait_here();
        placement.resume();
        placement.bring_here();
        assert!(placement.0.lock().unwrap().before.is_none());
        assert_eq!(sched_getaffinity(THIS_THREAD).unwrap(), all);
    }

    #[test]
    fn a_thread_whose_work_took_long_stays_beside_a_caller_that_does_not_wait() {
        let Some((all, one, other)) = two_cpus() else { return };
        let placement = Placement::new();
        placement.resume();
        thread::sleep(2 * BRIEF);
        placement.wait_here();
        let here = placement.0.lock().unwrap().waiting.unwrap().1;
        placement.0.lock().unwrap().waiting.as_mut().unwrap().1 = if here == one { other } else { one };
        placement.bring_here_if_brief();
        assert!(placement.0.lock().unwrap().before.is_none());
        placement.bring_here();
        assert_eq!(placement.0.lock().unwrap().before, Some(all));
        placement.resume();
        assert_eq!(sched_getaffinity(THIS_THREAD).unwrap(), all);
    }

    #[test]
    fn a_thread_that_is_kept_elsewhere_is_moved_a_few_times_only() {
        let Some((all, one, other)) = two_cpus() else { return };
        let placement = Placement::new();
        let mut moves = 0;
        for _ in 0..100 {
            sched_setaffinity(THIS_THREAD, &all).unwrap();
            placement.wait_here();
            let here = placement.0.lock().unwrap().waiting.unwrap().1;
            placement.0.lock().unwrap().waiting.as_mut().unwrap().1 = if here == one { other } else { one };
            placement.0.lock().unwrap().moves.last = Some(Instant::now() + INTERVAL);
            placement.bring_here();
            moves += usize::from(placement.0.lock().unwrap().before.is_some());
            placement.resume();
        }
        assert!((1..=usize::from(MOST_MOVES)).contains(&moves), "{moves} moves");
        assert_eq!(sched_getaffinity(THIS_THREAD).unwrap(), all);
    }

    #[test]
    fn a_process_follows_its_caller_and_is_let_go_when_it_moves_too_often() {
        let Some((all, one, other)) = two_cpus() else { return };
        let process = gettid();
        let mut follower = Follower::new();
        let mut alternate = [one, other].into_iter().cycle();
        for _ in 0..MOST_MOVES {
            let cpu = alternate.next().unwrap();
            sched_setaffinity(THIS_THREAD, &only(cpu)).unwrap();
            if let Some(moved) = follower.moved.as_mut() {
                moved.1 = all;
            }
            follower.moves.last = Some(Instant::now() + INTERVAL);
            let before = sched_getaffinity(THIS_THREAD).unwrap();
            follower.bring_here(process);
            assert_eq!(sched_getaffinity(process).unwrap(), before);
        }
        follower.moves.last = Some(Instant::now() + INTERVAL);
        follower.moved = Some((usize::MAX, all));
        follower.bring_here(process);
        assert_eq!(sched_getaffinity(process).unwrap(), all);
        assert!(follower.moved.is_none());
    }
}
