//! Helpers that are started in advance, and wait for their program (decision 0025).
//!
//! The home thread starts them after the helper was used, so that the next call does not wait for an execve(2). A spare
//! helper has no descriptor but its socket, and is in the namespaces of this process. It ends when it has waited for some
//! time, or when this process ends.

use std::{
    ffi::CString,
    mem,
    os::fd::AsFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use nix::{
    sys::{signal::Signal, wait::Id},
    unistd::gettid,
};
use nsset_helper::protocol::NAME;

use crate::{
    children::{pidfd, process_group, reaper},
    error::Result,
    helper::borrowed_memory::Directories,
    helper::idle::waiting::{self, Started, Waiting},
    helper::image,
    helper::launch,
    helper::program::Program,
    helper::step_error,
    threads::home_thread,
    threads::surroundings::Surroundings,
};

/// How long a spare helper waits for a program before it ends.
const IDLE: Duration = Duration::from_secs(2);

/// How many wait at most.
const MOST: usize = 8;

/// If they are used up within this time, more of them wait from then on.
const SHORT: Duration = Duration::from_millis(20);

/// How long the start of the next one is put off. It takes as long as many programs run, and on a machine with few processors
/// they would wait for it.
const RESPITE: Duration = Duration::from_micros(500);

/// How long none is started after one that was of no use, and after a failure: at first, and at most.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

struct Spares {
    ready: Vec<Waiting>,
    /// What those inherited that are ready.
    surroundings: Option<Arc<Surroundings>>,
    /// How many should wait.
    wanted: usize,
    /// Whether the home thread has been asked to start some.
    is_requested: bool,
    last_use: Option<Instant>,
    /// Until when none is started, and how long that was.
    pause: Option<(Instant, Duration)>,
}

static SPARES: Mutex<Spares> = Mutex::new(Spares {
    ready: Vec::new(),
    surroundings: None,
    wanted: 1,
    is_requested: false,
    last_use: None,
    pause: None,
});

fn spares() -> MutexGuard<'static, Spares> {
    SPARES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends the program to a spare helper. `None` if none waits, or if a helper that the calling thread starts now would
/// differ: nothing has happened then.
pub fn run(program: &Program<'_>, environment: &[CString]) -> Option<Started> {
    let packet = program.packet(environment)?;
    let surroundings = spares().note_use()?;
    if !surroundings.are_here(program.promises().leaves_process()) {
        check_later();
        return None;
    }
    loop {
        let spare = spares().take()?;
        let Some(started) = spare.release() else { continue };
        // A program of the same user may stop helpers while they wait. Those that start now give it less time.
        let was_stopped = process_group::continue_if_stopped(Id::PIDFd(started.process.pidfd.as_fd()));
        if !was_stopped && has_our_directories(&started) && started.send(&packet, program).is_ok() {
            return Some(started);
        }
        // It is about to end, it does not suit the calling thread, or its socket takes no packet of this size.
        started.discard();
    }
}

/// Has the home thread start as many as should wait, when the program of this call has had time to run.
pub fn replenish() {
    start_missing_after(RESPITE);
}

fn start_missing_after(respite: Duration) {
    if spares().request() && !home_thread::run_after(respite, start_missing) {
        spares().pause();
    }
}

/// Has the home thread check what it passes on. If that has changed, it starts other spares; if not, the calling thread is a
/// special one, and none is started for a while.
fn check_later() {
    spares().pause();
    home_thread::run_after(Duration::ZERO, || {
        let has_changed = Surroundings::here().as_ref() != spares().surroundings.as_deref();
        if has_changed {
            spares().start_again();
            replenish();
        }
    });
}

/// Ends all spare helpers, which count against the limits that the caller has reached. Returns whether there were any.
pub fn give_up() -> bool {
    let all = {
        let mut spares = spares();
        spares.pause();
        mem::take(&mut spares.ready)
    };
    let helpers: Vec<_> = all.into_iter().filter_map(Waiting::release).collect();
    let were_any = !helpers.is_empty();
    for Started { process, .. } in helpers {
        pidfd::kill(&process.pidfd, Signal::SIGKILL);
        reaper::reap(process.pidfd);
    }
    were_any
}

impl Spares {
    /// Notes that a helper is needed. Returns what the spares inherited, if there are any.
    fn note_use(&mut self) -> Option<Arc<Surroundings>> {
        let is_short = self.last_use.replace(Instant::now()).is_some_and(|last| last.elapsed() < SHORT);
        if !self.ready.is_empty() {
            return self.surroundings.clone();
        }
        if is_short {
            self.wanted = (2 * self.wanted).min(MOST);
        }
        None
    }

    fn take(&mut self) -> Option<Waiting> {
        let spare = self.ready.pop()?;
        self.pause = None;
        Some(spare)
    }

    /// Ends all, which are of no use.
    fn start_again(&mut self) {
        self.ready.clear();
        self.pause = None;
    }

    fn pause(&mut self) {
        let length = self.pause.map_or(PAUSE, |(_, length)| (2 * length).min(LONGEST_PAUSE));
        self.pause = Some((Instant::now() + length, length));
        self.is_requested = false;
    }

    /// Whether the home thread has to be asked.
    fn request(&mut self) -> bool {
        let is_pausing = self.pause.is_some_and(|(until, _)| Instant::now() < until);
        if self.is_requested || is_pausing || self.ready.len() >= self.wanted {
            return false;
        }
        self.is_requested = true;
        true
    }

    fn add(&mut self, started: Started, surroundings: Surroundings) {
        if self.surroundings.as_deref() != Some(&surroundings) {
            self.ready.clear();
            self.surroundings = Some(Arc::new(surroundings));
        }
        let pid = started.process.pid;
        self.ready.push(Waiting::new(started, move || spares().remove(pid)));
    }

    /// Removes one that has ended. Those that are too many end, too, after they have waited.
    fn remove(&mut self, pid: i32) {
        self.ready.retain(|spare| spare.pid() != pid);
        self.wanted = 1;
    }
}

/// Whether the helper shares the directories and the umask of the calling thread, which another thread may have given up.
/// The kernel answers only a thread that may trace the helper: one whose credentials, capabilities and Landlock rules have
/// not changed since (kcmp(2)).
fn has_our_directories(helper: &Started) -> bool {
    const KCMP_FS: i32 = 3;
    // SAFETY: plain numbers.
    unsafe { libc::syscall(libc::SYS_kcmp, gettid().as_raw(), helper.process.pid, KCMP_FS, 0, 0) == 0 }
}

/// Starts one on the home thread, and asks for the next one, so that other work may come before that.
fn start_missing() {
    let Some((started, surroundings)) = start() else { return spares().pause() };
    {
        let mut spares = spares();
        spares.add(started, surroundings);
        spares.is_requested = false;
    }
    start_missing_after(Duration::ZERO);
}

fn start() -> Option<(Started, Surroundings)> {
    let surroundings = Surroundings::here()?;
    let started = launch_waiting().ok()?;
    Some((started, surroundings))
}

fn launch_waiting() -> Result<Started> {
    reaper::start()?;
    let (control, theirs) = waiting::control()?;
    let mut program = Program::new();
    program.receive(IDLE);
    let opening = program.opening();
    let envp = program.envp(&opening, &[]);
    let process = launch::launch(image::program()?, &[NAME], &envp, &[theirs.as_fd()], Directories::Shared);
    Ok(Started { process: process.map_err(step_error::from_launch)?, control })
}
