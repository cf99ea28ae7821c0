//! The threads on which work waits for those inside a set. Who stops, kills or never answers a helper holds up one of
//! these threads, and neither the thread of networks nor libuv's pool.
//!
//! Each network has two lines of its own, whose work is done in order, one piece at a time, and each set has four for what
//! is made below it: a set holds up six threads at most. The lines take turns, a piece each.
//! More threads are started where those that there are are held up, up to `MOST_THREADS`.

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

/// With more sets than this that hold up a thread each, the others wait until one of those has reached its time limit.
const MOST_THREADS: usize = 1024;

/// How long a thread waits for work before it ends.
const IDLE: Duration = Duration::from_secs(1);

/// How long no thread has to take a piece of work before they count as held up. A piece mostly takes a tenth of this.
pub const HELD_UP: Duration = Duration::from_millis(3);

pub type Work = Box<dyn FnOnce() + Send>;

/// Work of one network, or of what else may be held up by one set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line(u64);

impl Line {
    pub fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }

    /// Adds work. To be called by a thread that is home, such as the thread of networks: a thread that is started for the work inherits
    /// the namespaces of the one that starts it. The error is that of clone(2), where there is no thread and none can be
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

    /// The same, where the threads that there are may come to it in time: [`relieve`] has to be called while it waits.
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

/// Starts threads where work waits and those that there are are held up: as many as that, so that the sets that hold them up
/// are soon outnumbered. To be called on the thread of networks while it is home.
pub fn relieve() {
    let mut turns = turns();
    let waiting = turns.next.len().saturating_sub(turns.idle);
    if waiting == 0 || turns.last_taken.is_some_and(|taken| taken.elapsed() < HELD_UP) {
        return;
    }
    turns.last_taken = Some(Instant::now());
    for _ in 0..waiting.min(turns.threads.max(1)) {
        // Where none can be started, those that there are go on.
        let _ = turns.start_thread();
    }
}

/// The lines of one set for work that is done in any order.
#[derive(Debug)]
pub struct Lines {
    each: [Line; AT_ONCE],
    turn: AtomicUsize,
}

/// How much of such work of one set is done at a time: as much as on libuv's pool.
const AT_ONCE: usize = 4;

impl Lines {
    pub fn new() -> Self {
        Self { each: [(); AT_ONCE].map(|()| Line::new()), turn: AtomicUsize::new(0) }
    }

    /// The one whose turn it is.
    #[expect(clippy::indexing_slicing, reason = "a remainder of the length")]
    pub fn next(&self) -> Line {
        self.each[self.turn.fetch_add(1, Ordering::Relaxed) % AT_ONCE]
    }
}

struct Turns {
    /// The work that is left of each line that has some, or whose work is being done.
    lines: BTreeMap<Line, VecDeque<Work>>,
    /// The lines that have work and no thread, in the order in which they get one.
    next: VecDeque<Line>,
    threads: usize,
    /// How many of them wait for work.
    idle: usize,
    /// When a thread last took a piece.
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

    /// Takes back what was queued last, of a line that has nothing else: there is no thread.
    fn forget_last(&mut self, line: Line) {
        self.lines.remove(&line);
        self.next.retain(|other| *other != line);
    }

    /// Where none can be started, those that there are do the work.
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

    /// The next piece of work, of the line whose turn it is.
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

    /// The work of a line is done, which waits for its next turn where it has more.
    fn end_turn(&mut self, line: Line) {
        match self.lines.get(&line) {
            Some(more) if !more.is_empty() => self.next.push_back(line),
            _ => drop(self.lines.remove(&line)),
        }
    }
}

/// Does what there is to be done, until there was nothing for a while.
fn serve() {
    let mut turns = turns();
    loop {
        if let Some((line, work)) = turns.take() {
            drop(turns);
            // A panic drops what the work was to answer with, and so is an error of it; the thread goes on.
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
