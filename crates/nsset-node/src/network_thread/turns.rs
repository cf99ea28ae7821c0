//! The threads for work that waits for processes inside a set. A process inside that stops or kills a helper, or never answers
//! it, blocks one of these threads, but neither the thread of networks nor libuv's pool.
//!
//! Each network has two lines, and each set has four lines for namespaces that are created below it. The work of a line runs in
//! order, one piece at a time, so a set blocks at most six threads. The lines take turns, one piece each.
//! If the existing threads are blocked, more are started, up to `MOST_THREADS`.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// If more sets than this block a thread each, the other sets wait until one of them has reached its time limit.
const MOST_THREADS: usize = 1024;

/// How long a thread waits for work before it ends.
const IDLE: Duration = Duration::from_secs(1);

/// The threads count as blocked if none of them has taken a piece of work for this long. A piece usually takes a tenth of this.
pub const HELD_UP: Duration = Duration::from_millis(3);

pub type Work = Box<dyn FnOnce() + Send>;

/// The queue of work that one network, or one set, may block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line(u64);

impl Line {
    pub fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }

    /// Adds work. Must be called by a thread that is outside, such as the thread of networks: a thread that is started for the
    /// work inherits the namespaces of the calling thread. Fails with the error of clone(2) if there is no thread and none can be
    /// started.
    pub fn add(self, work: Work) -> io::Result<()> {
        let mut turns = turns();
        turns.queue(self, work);
        if turns.next.len() <= turns.idle {
            WORK.notify_one();
            return Ok(());
        }
        turns.start_thread().inspect_err(|_| turns.forget_last(self))
    }

    /// Like `add`, but does not start a thread if there is one: the caller must call [`relieve`] while the work waits.
    pub fn queue(self, work: Work) -> io::Result<()> {
        let mut turns = turns();
        if turns.threads == 0 {
            drop(turns);
            return self.add(work);
        }
        turns.queue(self, work);
        if turns.idle > 0 {
            WORK.notify_one();
        }
        Ok(())
    }
}

/// Starts threads if work waits and the existing threads are blocked. It at most doubles their number, but there are soon more
/// threads than sets that block one. Must be called on the thread of networks while it is outside.
pub fn relieve() {
    let mut turns = turns();
    let waiting = turns.next.len().saturating_sub(turns.idle);
    if waiting == 0 || turns.last_taken.is_some_and(|taken| taken.elapsed() < HELD_UP) {
        return;
    }
    turns.last_taken = Some(Instant::now());
    for _ in 0..waiting.min(turns.threads.max(1)) {
        // If no thread can be started, the existing threads continue.
        let _ = turns.start_thread();
    }
}

/// The lines of one set for work that may run in any order.
#[derive(Debug)]
pub struct Lines {
    each: [Line; AT_ONCE],
    turn: AtomicUsize,
}

/// How many pieces of such work of one set run at the same time: as many as on libuv's pool.
const AT_ONCE: usize = 4;

impl Lines {
    pub fn new() -> Self {
        Self { each: [(); AT_ONCE].map(|()| Line::new()), turn: AtomicUsize::new(0) }
    }

    /// Returns the next line in turn.
    #[expect(clippy::indexing_slicing, reason = "a remainder of the length")]
    pub fn next(&self) -> Line {
        self.each[self.turn.fetch_add(1, Ordering::Relaxed) % AT_ONCE]
    }
}

struct Turns {
    /// The waiting work of each line that has some, or whose work is running.
    lines: BTreeMap<Line, VecDeque<Work>>,
    /// The lines with work and without a thread, in the order in which they get one.
    next: VecDeque<Line>,
    threads: usize,
    /// How many threads wait for work.
    idle: usize,
    /// When a thread last took a piece of work.
    last_taken: Option<Instant>,
}

static TURNS: Mutex<Turns> =
    Mutex::new(Turns { lines: BTreeMap::new(), next: VecDeque::new(), threads: 0, idle: 0, last_taken: None });
static WORK: Condvar = Condvar::new();

fn turns() -> MutexGuard<'static, Turns> {
    TURNS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Turns {
    fn queue(&mut self, line: Line, work: Work) {
        if !self.lines.contains_key(&line) {
            self.next.push_back(line);
        }
        self.lines.entry(line).or_default().push_back(work);
    }

    /// Removes the work that was queued last, from a line that has no other work, because there is no thread.
    fn forget_last(&mut self, line: Line) {
        self.lines.remove(&line);
        self.next.retain(|other| *other != line);
    }

    /// Starts a thread. If that fails, the existing threads do the work; it is an error only if there are none.
    fn start_thread(&mut self) -> io::Result<()> {
        if self.threads >= MOST_THREADS {
            return Ok(());
        }
        let started = thread::Builder::new().name("nsset-waiting".into()).stack_size(256 * 1024).spawn(serve);
        match started {
            Ok(_) => self.threads += 1,
            Err(error) if self.threads == 0 => return Err(error),
            Err(_) => {}
        }
        Ok(())
    }

    /// Takes the next piece of work of the next line in turn.
    fn take(&mut self) -> Option<(Line, Work)> {
        loop {
            let line = self.next.pop_front()?;
            match self.lines.get_mut(&line).and_then(VecDeque::pop_front) {
                Some(work) => {
                    self.last_taken = Some(Instant::now());
                    return Some((line, work));
                }
                None => drop(self.lines.remove(&line)),
            }
        }
    }

    /// Ends the turn of a line. If it has more work, it waits for its next turn.
    fn end_turn(&mut self, line: Line) {
        match self.lines.get(&line) {
            Some(more) if !more.is_empty() => self.next.push_back(line),
            _ => drop(self.lines.remove(&line)),
        }
    }
}

/// The function of a thread: it does work until there has been none for the time `IDLE`.
fn serve() {
    let mut turns = turns();
    loop {
        if let Some((line, work)) = turns.take() {
            drop(turns);
            // A panic drops the sender of the work's result, which the receiver reports as an error. The thread continues.
            let _ = catch_unwind(AssertUnwindSafe(work));
            turns = self::turns();
            turns.end_turn(line);
            continue;
        }
        turns.idle += 1;
        let (woken, wait) = WORK.wait_timeout(turns, IDLE).unwrap_or_else(PoisonError::into_inner);
        turns = woken;
        turns.idle -= 1;
        if wait.timed_out() && turns.next.is_empty() {
            turns.threads -= 1;
            return;
        }
    }
}
