//! Runs a program with the helper and supervises it: receives the messages, replies to them, limits the time, continues what
//! is stopped, and leaves no process or descriptor behind.

use std::{
    ffi::CString,
    io::IoSlice,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::Signal,
        socket::{MsgFlags, Shutdown, sendmsg, shutdown},
        wait::Id,
    },
    unistd::Pid,
};
use nsset_helper::protocol::{About, MAX_CONTENT, MAX_WORDS, MOST_CONTENT, Message, MessageKind, NAME};

use crate::{
    cancel::{Cancel, TIME_LIMIT, wait_readable},
    children::patience::{self, Patience},
    children::pidfd,
    children::process_group::{self, ProcessGroup},
    children::reaper,
    children::traced,
    error::{Error, Result, SystemError},
    helper::ancillary,
    helper::idle::waiting::{self, Started},
    helper::image,
    helper::launch,
    helper::program::{Program, Promises},
    helper::shared_pid::SharedPid,
    helper::step_error,
    helper::vfork::Process,
    retry::uninterrupted,
};

/// How long the messages of an unwanted helper are still received before it is killed.
const GRACE_PERIOD: Duration = Duration::from_millis(200);

/// How long the end of a killed process is awaited. Processes that take longer are left to the reaper.
const REAP_LIMIT: Duration = Duration::from_millis(200);

/// The milliseconds after which a silent helper is checked for the first time: a process inside may have stopped it. Most
/// messages arrive earlier. The kernel would have to program its timer for a shorter time, which costs more than the poll.
const FIRST_POLL: u8 = 10;

/// The interval in milliseconds of the checks that follow.
const POLL_INTERVAL: u8 = 1;

/// After this many of these intervals the processes are checked for being alive and for a tracer.
const POLLS_PER_CHECK: u32 = 100;

/// How long a child may take to announce itself when all known processes have ended.
const ANNOUNCEMENT_LIMIT: Duration = Duration::from_secs(1);

/// The results of a program that succeeded.
#[derive(Debug)]
pub struct Outcome {
    /// The namespaces that were requested, in order.
    pub namespaces: Vec<OwnedFd>,
    /// The socket that was requested.
    pub socket: Option<OwnedFd>,
    /// The content of the file that was requested.
    pub content: Option<Vec<u8>>,
    /// PID 1 of the new pid namespace.
    pub init: Option<Process>,
    /// The helper itself, or the child in which it continued. It has executed a program or ended, or waits for another
    /// program.
    pub helper: Started,
}

/// Runs a program. `on_waiting` is called with the pid of the process that waits for a reply.
pub fn run(
    program: &Program<'_>,
    environment: &[CString],
    cancel: Option<&Cancel>,
    on_waiting: &mut dyn FnMut(i32) -> Result<()>,
) -> Result<Outcome> {
    supervise(launch(program, environment)?, program, cancel, on_waiting)?.ok_or_else(ended_early)
}

/// Has a helper that waits run a program. `None` if the helper ended before it was done, or did not take the program.
pub fn resume(helper: Started, program: &Program<'_>) -> Result<Option<Outcome>> {
    let sent = program.packet().is_some_and(|packet| helper.send(&packet, program).is_ok());
    if !sent {
        helper.discard();
        return Ok(None);
    }
    match supervise(helper, program, None, &mut |_| Ok(())) {
        Err(Error::System(error)) if is_early_end(&error) => Ok(None),
        outcome => outcome,
    }
}

fn launch(program: &Program<'_>, environment: &[CString]) -> Result<Started> {
    let (control, theirs) = waiting::control()?;
    let mut fds = vec![theirs.as_fd()];
    fds.extend(program.fds());
    // Every child needs the reaper, which waits for it.
    reaper::start()?;
    let opening = program.opening();
    let envp = program.envp(&opening, environment);
    let process = launch::launch(image::program()?, &[NAME], &envp, &fds);
    Ok(Started { process: process.map_err(step_error::from_launch)?, control })
}

/// Receives the messages of a helper that runs this program. `None` if it ended before it had received the program.
fn supervise(
    started: Started,
    program: &Program<'_>,
    cancel: Option<&Cancel>,
    on_waiting: &mut dyn FnMut(i32) -> Result<()>,
) -> Result<Option<Outcome>> {
    let Started { process: helper, control } = started;
    let promises = program.promises();
    let mut supervisor = Supervisor {
        control,
        group: promises.group.then(|| ProcessGroup::led_by(helper.pid)),
        child_pid: program.child_pid(),
        promises,
        helper,
        child: None,
        init: None,
        init_ready: false,
        lost_child: None,
        namespaces: Vec::new(),
        socket: None,
        content: Vec::new(),
        is_content_whole: false,
        is_written: false,
        has_heard: false,
        is_unread: false,
        packet: vec![0; Message::SIZE + if promises.content { MAX_CONTENT } else { MAX_WORDS }],
        failure: None,
        deadline: Instant::now() + TIME_LIMIT,
        patience: Patience::default(),
    };
    let received = supervisor.run_to_end(program, cancel, on_waiting);
    let outcome = received.and_then(|()| supervisor.check_promises());
    let is_unread = supervisor.is_unread;
    if outcome.is_ok() && !is_unread {
        return Ok(Some(supervisor.into_outcome()));
    }
    supervisor.abort();
    match outcome {
        Err(error) if !is_unread => Err(error),
        _ => Ok(None),
    }
}

/// The step that failed.
struct Failure {
    step: u32,
    errno: Errno,
    about: About,
    /// What the kernel says about it, if it says anything.
    words: Vec<u8>,
}

/// A message, its sender, the descriptors that were attached, and the content that follows it in the packet.
struct ReceivedMessage {
    message: Message,
    sender: i32,
    fds: Vec<OwnedFd>,
    content: Vec<u8>,
}

struct Supervisor<'a> {
    control: OwnedFd,
    promises: Promises,
    helper: Process,
    /// The child in which the helper continues.
    child: Option<Process>,
    init: Option<Process>,
    init_ready: bool,
    /// The process group of the helper, if it leads one; its children are in it.
    group: Option<ProcessGroup>,
    /// The pid of a child that is in no such group, written by the kernel.
    child_pid: Option<&'a SharedPid>,
    /// A child in no such group for which no pidfd could be opened.
    lost_child: Option<i32>,
    namespaces: Vec<OwnedFd>,
    socket: Option<OwnedFd>,
    content: Vec<u8>,
    is_content_whole: bool,
    is_written: bool,
    /// Whether a message has arrived.
    has_heard: bool,
    /// Whether the helper ended before it received its program over the socket.
    is_unread: bool,
    /// The buffer for messages.
    packet: Vec<u8>,
    failure: Option<Failure>,
    deadline: Instant,
    /// How much longer stopped processes are continued.
    patience: Patience,
}

impl Supervisor<'_> {
    /// Handles every message until the last process that holds the other end has executed a program or ended, or until the
    /// helper waits for another program.
    fn run_to_end(
        &mut self,
        program: &Program<'_>,
        cancel: Option<&Cancel>,
        on_waiting: &mut dyn FnMut(i32) -> Result<()>,
    ) -> Result<()> {
        let received = self.receive_all(cancel, on_waiting);
        match self.failure.take() {
            Some(Failure { step, errno, about, words }) => {
                Err(step_error::with_words(step_error::from_step(program.label(step), errno, about), &words))
            }
            None => received,
        }
    }

    fn receive_all(&mut self, cancel: Option<&Cancel>, on_waiting: &mut dyn FnMut(i32) -> Result<()>) -> Result<()> {
        while !self.is_done() && self.wait_for_message(cancel)? {
            let Some(received) = self.receive()? else { break };
            self.handle(received, on_waiting)?;
        }
        Ok(())
    }

    /// Whether the last message has arrived of a program that ends with it.
    fn is_done(&self) -> bool {
        self.promises.stay && self.failure.is_none() && self.is_complete()
    }

    fn handle(&mut self, received: ReceivedMessage, on_waiting: &mut dyn FnMut(i32) -> Result<()>) -> Result<()> {
        let ReceivedMessage { message, sender, mut fds, content } = received;
        let kind = MessageKind::from_u32(message.kind).filter(|kind| self.may_send(sender, *kind));
        match kind {
            Some(MessageKind::Failed) => self.record_failure(message, content),
            Some(MessageKind::Waiting) => {
                on_waiting(sender)?;
                self.reply()?;
            }
            Some(MessageKind::Forked) => {
                self.child = Some(self.adopt(sender)?);
                if self.group.is_some() && self.promises.exec && !self.promises.session {
                    process_group::join_ours(sender).map_err(|errno| SystemError::new(errno, "setpgid"))?;
                }
                self.reply()?;
            }
            Some(MessageKind::InitForked) => {
                self.init = Some(self.adopt(sender)?);
                self.reply()?;
            }
            Some(MessageKind::InitReady) => self.init_ready = true,
            Some(MessageKind::Namespaces) => self.namespaces = fds,
            Some(MessageKind::Socket) => self.socket = fds.pop(),
            Some(MessageKind::ContentPart) => self.add_content(content)?,
            Some(MessageKind::Content) => {
                self.add_content(content)?;
                self.is_content_whole = true;
            }
            Some(MessageKind::Written) => self.is_written = true,
            None => return Err(SystemError::new(Errno::EPROTO, "recvmsg").into()),
        }
        Ok(())
    }

    /// Whether this process may send this message: other processes may hold a copy of the socket.
    fn may_send(&self, sender: i32, kind: MessageKind) -> bool {
        let is = |process: &Process| process.pid == sender;
        match kind {
            // A child that cannot announce itself sends this, too. It leads only to an error.
            MessageKind::Failed => true,
            MessageKind::Forked => self.promises.fork && self.child.is_none() && !is(&self.helper),
            MessageKind::InitForked => self.promises.init && self.init.is_none() && !is(self.executor()),
            MessageKind::InitReady => self.init.as_ref().is_some_and(is),
            MessageKind::Waiting
            | MessageKind::Namespaces
            | MessageKind::Socket
            | MessageKind::ContentPart
            | MessageKind::Content
            | MessageKind::Written => is(self.executor()),
        }
    }

    /// The content of a file may be sent in parts, and a program inside may delay each of them.
    fn add_content(&mut self, part: Vec<u8>) -> Result<()> {
        self.check_time()?;
        if self.content.len() + part.len() > MOST_CONTENT {
            return Err(SystemError::new(Errno::EFBIG, "read").into());
        }
        if self.content.is_empty() {
            self.content = part;
        } else {
            self.content.extend(part);
        }
        Ok(())
    }

    /// The process that runs the rest of the program.
    fn executor(&self) -> &Process {
        self.child.as_ref().unwrap_or(&self.helper)
    }

    /// The other processes then have little left to do, so they get only a short time for it.
    fn record_failure(&mut self, message: Message, words: Vec<u8>) {
        let (step, errno) = (message.step, Errno::from_raw(message.value));
        self.failure.get_or_insert(Failure { step, errno, about: About::from_u32(message.about), words });
        self.deadline = self.deadline.min(Instant::now() + patience::LIMIT);
    }

    /// Opens a pidfd of a child that has just announced itself. The child is ours and has not been reaped, so its pid
    /// is not reused.
    fn adopt(&mut self, pid: i32) -> Result<Process> {
        if !process_group::is_child(pid) {
            return Err(SystemError::new(Errno::EPROTO, "recvmsg").into());
        }
        match pidfd::open(pid) {
            Ok(pidfd) => Ok(Process { pid, pidfd }),
            Err(errno) => {
                self.lost_child = Some(pid);
                Err(SystemError::new(errno, "pidfd_open").into())
            }
        }
    }

    /// Waits for the next message or the end of the conversation. Returns false if no process is left that could send a
    /// message.
    fn wait_for_message(&mut self, cancel: Option<&Cancel>) -> Result<bool> {
        let mut silent_since = None;
        for poll_count in 1.. {
            let interval = if poll_count == 1 { FIRST_POLL } else { POLL_INTERVAL };
            if wait_readable(Some(self.control.as_fd()), cancel, PollTimeout::from(interval))? {
                break;
            }
            self.continue_stopped();
            self.check_time()?;
            let silence = silent_since.get_or_insert_with(Instant::now).elapsed();
            let is_silent = poll_count % POLLS_PER_CHECK == 0;
            if is_silent {
                self.check_silent_processes();
            }
            if (is_silent || self.is_complete()) && self.is_over(silence)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn check_time(&self) -> Result<()> {
        if self.patience.is_over() {
            return Err(SystemError::new(Errno::ETIMEDOUT, "nsset-helper").hint(step_error::KEPT_STOPPED).into());
        }
        if Instant::now() > self.deadline {
            let hint = format!("the helper did not finish within {} s", TIME_LIMIT.as_secs());
            return Err(SystemError::new(Errno::ETIMEDOUT, "nsset-helper").hint(hint).into());
        }
        Ok(())
    }

    /// A process that may signal inside the set may stop the helper at any step; it is then continued.
    fn continue_stopped(&mut self) {
        let mut is_held_up = self.group.is_some_and(ProcessGroup::continue_stopped);
        for process in self.known_processes() {
            is_held_up |= process_group::continue_if_stopped(Id::PIDFd(process.pidfd.as_fd()));
        }
        if let Some(pid) = self.unannounced_child() {
            is_held_up |= process_group::continue_if_stopped(Id::Pid(Pid::from_raw(pid)));
        }
        if is_held_up {
            self.patience.note_stop();
        }
    }

    /// A child in no process group of the helper that has not announced itself.
    fn unannounced_child(&self) -> Option<i32> {
        let pid = if self.child.is_none() { self.child_pid?.read() } else { None };
        pid.filter(|pid| process_group::is_child(*pid))
    }

    /// Continues the whole group, and checks for tracers. The placeholder of a nested user namespace is no child of
    /// ours, so no call shows that it was stopped. A stop by a tracer is visible only in `/proc`.
    fn check_silent_processes(&mut self) {
        if let Some(group) = self.group {
            group.signal(Signal::SIGCONT);
        }
        let is_traced = self.known_processes().any(|process| traced::is_kept(process.pidfd.as_fd()));
        self.patience.note_trace(is_traced);
    }

    /// Whether no further message will be sent: all known processes have ended, and no child is about to announce
    /// itself. A traced child may never announce itself.
    ///
    /// The other end of the socket is not enough to know this. A process that another thread forks holds a copy of it
    /// until its exec, which takes long on a busy machine. The placeholder of a nested user namespace, which is no
    /// child of ours, also holds a copy.
    fn is_over(&self, silence: Duration) -> Result<bool> {
        let is_announcement_due =
            self.promises.fork && self.child.is_none() || self.promises.init && self.init.is_none();
        let may_announce = is_announcement_due && silence < ANNOUNCEMENT_LIMIT;
        if may_announce || !self.known_processes().all(has_ended) {
            return Ok(false);
        }
        // Their last message, or the end of the conversation, may have arrived after the previous poll.
        Ok(!wait_readable(Some(self.control.as_fd()), None, PollTimeout::ZERO)?)
    }

    fn known_processes(&self) -> impl Iterator<Item = &Process> {
        [Some(&self.helper), self.child.as_ref(), self.init.as_ref()].into_iter().flatten()
    }

    /// The next message, or `None` at the end.
    fn receive(&mut self) -> Result<Option<ReceivedMessage>> {
        let received = match ancillary::receive(self.control.as_fd(), &mut self.packet) {
            // A process that ends without reading our message resets the connection. Its earlier messages can still be
            // received. If there are none, it was the program.
            Err(Errno::ECONNRESET) => {
                self.is_unread = !self.has_heard;
                ancillary::receive(self.control.as_fd(), &mut self.packet)
            }
            other => other,
        };
        let received = match received {
            Err(Errno::ECONNRESET) => return Ok(None),
            other => other.map_err(|errno| SystemError::new(errno, "recvmsg"))?,
        };
        if received.length == 0 {
            return Ok(None);
        }
        self.has_heard = true;
        self.is_unread = false;
        if received.is_truncated {
            return Err(SystemError::new(Errno::EMFILE, "recvmsg").into());
        }
        let parts = self.packet.get(..received.length).and_then(|packet| packet.split_first_chunk());
        let (Some((bytes, content)), Some(sender)) = (parts, received.sender) else {
            return Err(SystemError::new(Errno::EPROTO, "recvmsg").into());
        };
        Ok(Some(ReceivedMessage { message: decode(*bytes), sender, fds: received.fds, content: content.to_vec() }))
    }

    fn reply(&self) -> Result<()> {
        let word = [IoSlice::new(b"!")];
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        match uninterrupted(|| sendmsg::<()>(self.control.as_raw_fd(), &word, &[], flags, None)) {
            // The process has ended already; the end of the conversation shows how.
            Ok(_) | Err(Errno::EPIPE | Errno::ECONNRESET) => Ok(()),
            Err(errno) => Err(SystemError::new(errno, "sendmsg").into()),
        }
    }

    fn check_promises(&self) -> Result<()> {
        if self.is_complete() { Ok(()) } else { Err(ended_early()) }
    }

    /// Whether everything that the program promises has arrived.
    fn is_complete(&self) -> bool {
        let promised = &self.promises;
        self.namespaces.len() == promised.namespaces
            && self.socket.is_some() == promised.socket
            && self.is_content_whole == promised.content
            && self.is_written == promised.written
            && (self.init.is_some() && self.init_ready) == promised.init
            && self.child.is_some() == promised.fork
    }

    fn into_outcome(self) -> Outcome {
        let Self { namespaces, socket, content, is_content_whole, init, helper, child, control, .. } = self;
        let content = is_content_whole.then_some(content);
        let process = match child {
            Some(child) => {
                // The helper that continued in a child ends by itself.
                dismiss(helper);
                child
            }
            None => helper,
        };
        Outcome { namespaces, socket, content, init, helper: Started { process, control } }
    }

    /// Ends the conversation early. A process that waits for our reply reads the end of the socket, and ends by itself.
    /// Processes that have not ended after the grace period are killed, and so are all children of the helper, known or
    /// not. A process that is kept stopped does not end by itself, so it gets no grace period.
    fn abort(mut self) {
        let _ = shutdown(self.control.as_raw_fd(), Shutdown::Write);
        if !self.patience.is_over() {
            self.drain();
        }
        self.kill();
    }

    fn drain(&mut self) {
        self.deadline = Instant::now() + GRACE_PERIOD;
        while self.wait_for_message(None).is_ok_and(|is_there| is_there) && self.check_time().is_ok() {
            if !matches!(ancillary::receive(self.control.as_fd(), &mut self.packet), Ok(received) if received.length > 0)
            {
                break;
            }
        }
    }

    /// Kills all processes that were started. The reaper takes over those that do not end soon.
    fn kill(self) {
        pidfd::kill(&self.helper.pidfd, Signal::SIGKILL);
        if self.child_pid.is_some() {
            // A helper that has ended makes no further child.
            wait_for_end(&self.helper);
        }
        let unannounced_child = self.unannounced_child();
        let Self { helper, child, init, group, lost_child, .. } = self;
        let known: Vec<_> = [child, init].into_iter().flatten().map(|process| process.pidfd).collect();
        for pidfd in &known {
            pidfd::kill(pidfd, Signal::SIGKILL);
        }
        if let Some(group) = group {
            group.signal(Signal::SIGKILL);
        }
        if let Some(pid) = lost_child.or(unannounced_child) {
            process_group::kill_child(pid, REAP_LIMIT);
        }
        known.into_iter().for_each(reaper::reap);
        if let Some(group) = group {
            // The helper is reaped last, because its pid is the number of the group.
            wait_for_end(&helper);
            if !group.reap(REAP_LIMIT) {
                reaper::reap_group(group);
            }
        }
        reaper::reap(helper.pidfd);
    }
}

/// Waits for up to 100 ms. That is enough for a process that was killed, unless it waits for a disk.
fn wait_for_end(process: &Process) {
    let mut fds = [PollFd::new(process.pidfd.as_fd(), PollFlags::POLLIN)];
    let _ = poll(&mut fds, PollTimeout::from(100u8));
}

fn has_ended(process: &Process) -> bool {
    let mut fds = [PollFd::new(process.pidfd.as_fd(), PollFlags::POLLIN)];
    matches!(poll(&mut fds, PollTimeout::ZERO), Ok(1..))
}

fn is_early_end(error: &SystemError) -> bool {
    error.errno == Errno::ECHILD && error.syscall == "nsset-helper"
}

fn ended_early() -> crate::Error {
    let hint = "the helper ended before it was done: it was killed, or the system ran out of resources";
    SystemError::new(Errno::ECHILD, "nsset-helper").hint(hint).into()
}

/// Kills and reaps a helper that has closed its end of the socket: it is ending, or another process has stopped it
/// before its end.
pub fn dismiss(helper: Process) {
    pidfd::kill(&helper.pidfd, Signal::SIGKILL);
    reaper::reap(helper.pidfd);
}

fn decode(bytes: [u8; Message::SIZE]) -> Message {
    let [s0, s1, s2, s3, t0, t1, t2, t3, v0, v1, v2, v3, a0, a1, a2, a3] = bytes;
    Message {
        kind: u32::from_ne_bytes([s0, s1, s2, s3]),
        step: u32::from_ne_bytes([t0, t1, t2, t3]),
        value: i32::from_ne_bytes([v0, v1, v2, v3]),
        about: u32::from_ne_bytes([a0, a1, a2, a3]),
    }
}
