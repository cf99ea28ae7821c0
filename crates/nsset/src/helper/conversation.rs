//! Runs a program with the helper: receives its messages, replies to them, limits their time, and leaves no process or descriptor
//! behind.

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
        socket::{AddressFamily, MsgFlags, Shutdown, SockFlag, SockType, sendmsg, shutdown, socketpair},
        wait::Id,
    },
    unistd::Pid,
};
use nsset_helper::protocol::{About, MAX_CONTENT, MOST_CONTENT, Message, MessageKind, NAME};

use crate::{
    cancel::{Cancel, TIME_LIMIT, wait_readable},
    children::patience::{self, Patience},
    children::pidfd,
    children::process_group::{self, ProcessGroup},
    children::reaper,
    children::traced,
    error::{Result, SystemError},
    helper::borrowed_memory::Process,
    helper::child_pid::ChildPid,
    helper::image,
    helper::launch,
    helper::program::{Program, Promises},
    helper::rights,
    helper::step_error,
    retry::uninterrupted,
};

/// How long a helper is received out whose work is not wanted any more, before it is killed.
const GRACE_PERIOD: Duration = Duration::from_millis(200);

/// How long what was killed is waited for. The reaper has what takes longer.
const REAP_LIMIT: Duration = Duration::from_millis(200);

/// How many milliseconds go by between two looks at a helper that says nothing: someone inside may have stopped it.
const POLL_INTERVAL: u8 = 1;

/// After so many of these looks again and again it is asked whether anybody is left who could say something.
const POLLS_PER_CHECK: u32 = 100;

/// How long a child may take until it announces itself, when nothing else is left to do.
const ANNOUNCEMENT_LIMIT: Duration = Duration::from_secs(1);

/// How often a thread looks for the helper's next message before it sleeps: for some fifty microseconds.
const SPINS: u32 = 50;

/// What a program left behind when it went well.
#[derive(Debug)]
pub struct Outcome {
    /// The namespaces that were asked for, in order.
    pub namespaces: Vec<OwnedFd>,
    /// The socket that was asked for.
    pub socket: Option<OwnedFd>,
    /// What the file holds that was asked for.
    pub content: Option<Vec<u8>>,
    /// PID 1 of the new pid namespace.
    pub init: Option<Process>,
    /// The helper itself, or the child it went on in: by now it has exec'd or ended.
    pub process: Process,
}

/// Runs a program. `on_waiting` is called with the helper's pid when the program waits for a word.
pub fn run(
    program: &Program<'_>,
    environment: &[CString],
    cancel: Option<&Cancel>,
    on_waiting: &mut dyn FnMut(i32) -> Result<()>,
) -> Result<Outcome> {
    // Their end blocks; ours does not, by the flags of each call.
    let (control, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
        .map_err(|errno| SystemError::new(errno, "socketpair"))?;
    rights::ask_for_senders(&control).map_err(|errno| SystemError::new(errno, "setsockopt(SO_PASSCRED)"))?;
    let mut fds = vec![theirs.as_fd()];
    fds.extend(program.fds());
    // No child without who waits for it.
    reaper::start()?;
    let opening = program.opening();
    let envp = program.envp(&opening, environment);
    let helper = launch::launch(image::program()?, &[NAME], &envp, &fds).map_err(step_error::from_launch)?;
    drop(theirs);
    let promises = program.promises();
    let mut conversation = Conversation {
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
        packet: vec![0; Message::SIZE + if promises.content { MAX_CONTENT } else { 0 }],
        failure: None,
        deadline: Instant::now() + TIME_LIMIT,
        patience: Patience::default(),
    };
    let received = conversation.run_to_end(program, cancel, on_waiting);
    match received.and_then(|()| conversation.check_promises()) {
        Ok(()) => Ok(conversation.into_outcome()),
        Err(error) => {
            conversation.abort();
            Err(error)
        }
    }
}

/// The step that failed.
#[derive(Clone, Copy)]
struct Failure {
    step: u32,
    errno: Errno,
    about: About,
}

/// A message, who sent it, the descriptors that came beside it, and what follows it in the packet.
struct ReceivedMessage {
    message: Message,
    sender: i32,
    fds: Vec<OwnedFd>,
    content: Vec<u8>,
}

struct Conversation<'a> {
    control: OwnedFd,
    promises: Promises,
    helper: Process,
    /// The child that the helper went on in.
    child: Option<Process>,
    init: Option<Process>,
    init_ready: bool,
    /// Those born of the helper are in here, where it has such.
    group: Option<ProcessGroup>,
    /// Where the pid is written of one that is born in no such group.
    child_pid: Option<&'a ChildPid>,
    /// A child in no such group whose descriptor did not fit into our table.
    lost_child: Option<i32>,
    namespaces: Vec<OwnedFd>,
    socket: Option<OwnedFd>,
    content: Vec<u8>,
    is_content_whole: bool,
    is_written: bool,
    /// Where messages are received.
    packet: Vec<u8>,
    failure: Option<Failure>,
    deadline: Instant,
    /// What is left for what works for us and is stopped.
    patience: Patience,
}

impl Conversation<'_> {
    /// Hears every message until the last holder of the other end is gone: exec'd, or ended.
    fn run_to_end(
        &mut self,
        program: &Program<'_>,
        cancel: Option<&Cancel>,
        on_waiting: &mut dyn FnMut(i32) -> Result<()>,
    ) -> Result<()> {
        let received = self.receive_all(cancel, on_waiting);
        match self.failure {
            Some(Failure { step, errno, about }) => Err(step_error::from_step(program.label(step), errno, about)),
            None => received,
        }
    }

    fn receive_all(&mut self, cancel: Option<&Cancel>, on_waiting: &mut dyn FnMut(i32) -> Result<()>) -> Result<()> {
        while self.wait_for_message(cancel)? {
            let Some(received) = self.receive()? else { break };
            self.handle(received, on_waiting)?;
        }
        Ok(())
    }

    fn handle(&mut self, received: ReceivedMessage, on_waiting: &mut dyn FnMut(i32) -> Result<()>) -> Result<()> {
        let ReceivedMessage { message, sender, mut fds, content } = received;
        let kind = MessageKind::from_u32(message.kind).filter(|kind| self.may_send(sender, *kind));
        match kind {
            Some(MessageKind::Failed) => self.record_failure(message),
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

    /// Whether this process may say that: another process may hold a copy of what it holds.
    fn may_send(&self, sender: i32, kind: MessageKind) -> bool {
        let is = |process: &Process| process.pid == sender;
        match kind {
            // A newborn that cannot announce itself says this, too, and nothing comes of it but an error.
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

    /// What the file holds may come in parts, each of which a program inside may delay.
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

    /// The process that goes on with the program.
    fn executor(&self) -> &Process {
        self.child.as_ref().unwrap_or(&self.helper)
    }

    /// The others have little left to do then, and no more than a moment for it.
    fn record_failure(&mut self, message: Message) {
        let (step, errno) = (message.step, Errno::from_raw(message.value));
        self.failure.get_or_insert(Failure { step, errno, about: About::from_u32(message.about) });
        self.deadline = self.deadline.min(Instant::now() + patience::LIMIT);
    }

    /// Holds a child that has just announced itself. It is ours and has not been reaped, so the number is its own.
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

    /// Waits for the next message or the end of the conversation; false where nobody is left who could say something.
    fn wait_for_message(&mut self, cancel: Option<&Cancel>) -> Result<bool> {
        // A few looks first: the helper mostly speaks within microseconds, and to be woken costs more than that.
        let mut silent_since = None;
        for poll_count in 0.. {
            let timeout = if poll_count < SPINS { PollTimeout::ZERO } else { PollTimeout::from(POLL_INTERVAL) };
            if poll_count < SPINS {
                std::thread::yield_now();
            }
            if wait_readable(Some(self.control.as_fd()), cancel, timeout)? {
                break;
            }
            if poll_count >= SPINS {
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
        }
        Ok(true)
    }

    fn check_time(&self) -> Result<()> {
        if self.patience.is_over() {
            return Err(SystemError::new(Errno::ETIMEDOUT, "nsset-helper").hint(step_error::KEPT_STOPPED).into());
        }
        if Instant::now() > self.deadline {
            let hint = format!("the helper did not come to an end within {} s", TIME_LIMIT.as_secs());
            return Err(SystemError::new(Errno::ETIMEDOUT, "nsset-helper").hint(hint).into());
        }
        Ok(())
    }

    /// Whoever may signal inside the set may stop the helper on its way; it is set going again.
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

    /// A child in no group of the helper's that has not announced itself.
    fn unannounced_child(&self) -> Option<i32> {
        let pid = if self.child.is_none() { self.child_pid?.read() } else { None };
        pid.filter(|pid| process_group::is_child(*pid))
    }

    /// The holder of a nested user namespace is no child of ours, so nothing shows that it was stopped. A tracer's stop shows in
    /// `/proc` alone.
    fn check_silent_processes(&mut self) {
        if let Some(group) = self.group {
            group.signal(Signal::SIGCONT);
        }
        let is_traced = self.known_processes().any(|process| traced::is_kept(process.pidfd.as_fd()));
        self.patience.note_trace(is_traced);
    }

    /// Whether no message comes any more: all processes that we know have ended, and no child is about to announce itself. One
    /// that somebody traces may never do so.
    ///
    /// The other end of the socket does not tell this by itself. A process that another thread forks holds a copy of it until its
    /// exec, which takes long on a busy machine. So does the holder of a nested user namespace, which is no child of ours.
    fn is_over(&self, silence: Duration) -> Result<bool> {
        let is_announcement_due =
            self.promises.fork && self.child.is_none() || self.promises.init && self.init.is_none();
        let may_announce = is_announcement_due && silence < ANNOUNCEMENT_LIMIT;
        if may_announce || !self.known_processes().all(has_ended) {
            return Ok(false);
        }
        // Their last message, or the end of the conversation, may have come after the look before this.
        Ok(!wait_readable(Some(self.control.as_fd()), None, PollTimeout::ZERO)?)
    }

    fn known_processes(&self) -> impl Iterator<Item = &Process> {
        [Some(&self.helper), self.child.as_ref(), self.init.as_ref()].into_iter().flatten()
    }

    /// The next message, or `None` at the end.
    fn receive(&mut self) -> Result<Option<ReceivedMessage>> {
        let received = match rights::receive(self.control.as_fd(), &mut self.packet) {
            // Who ended with our word unread resets the connection; what was said before is still to be received.
            Err(Errno::ECONNRESET) => rights::receive(self.control.as_fd(), &mut self.packet),
            other => other,
        };
        let received = match received {
            Err(Errno::ECONNRESET) => return Ok(None),
            other => other.map_err(|errno| SystemError::new(errno, "recvmsg"))?,
        };
        if received.length == 0 {
            return Ok(None);
        }
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
            // Gone already: the end of the conversation says how.
            Ok(_) | Err(Errno::EPIPE | Errno::ECONNRESET) => Ok(()),
            Err(errno) => Err(SystemError::new(errno, "sendmsg").into()),
        }
    }

    fn check_promises(&self) -> Result<()> {
        if self.is_complete() { Ok(()) } else { Err(ended_early()) }
    }

    /// Whether everything that was promised is here.
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
        let Self { namespaces, socket, content, is_content_whole, init, helper, child, .. } = self;
        let content = is_content_whole.then_some(content);
        let process = match child {
            Some(child) => {
                // The helper that went on in a child has left by itself.
                dismiss(helper);
                child
            }
            None => helper,
        };
        Outcome { namespaces, socket, content, init, process }
    }

    /// Ends the conversation early. Who waits for our word gets the end of it, and leaves by itself; who has not left after
    /// a moment is killed, and so is everyone born of the helper, known or not. Who is kept stopped does not leave.
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
            if !matches!(rights::receive(self.control.as_fd(), &mut self.packet), Ok(received) if received.length > 0) {
                break;
            }
        }
    }

    /// Ends all that was started. What is killed is gone within moments; should it not be, the reaper has it.
    fn kill(self) {
        pidfd::kill(&self.helper.pidfd, Signal::SIGKILL);
        if self.child_pid.is_some() {
            // Only one that has ended makes no further child.
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
            // The helper comes last, whose number is the group's.
            wait_for_end(&helper);
            if !group.reap(REAP_LIMIT) {
                reaper::reap_group(group);
            }
        }
        reaper::reap(helper.pidfd);
    }
}

/// For a moment, which is enough for one that was killed, but for the kernel's wait for a disk.
fn wait_for_end(process: &Process) {
    let mut fds = [PollFd::new(process.pidfd.as_fd(), PollFlags::POLLIN)];
    let _ = poll(&mut fds, PollTimeout::from(100u8));
}

fn has_ended(process: &Process) -> bool {
    let mut fds = [PollFd::new(process.pidfd.as_fd(), PollFlags::POLLIN)];
    matches!(poll(&mut fds, PollTimeout::ZERO), Ok(1..))
}

fn ended_early() -> crate::Error {
    let hint = "the helper ended before it was done: it was killed, or the system had nothing left for it";
    SystemError::new(Errno::ECHILD, "nsset-helper").hint(hint).into()
}

/// Lets a helper go that has closed its end of the socket: it is ending, or stopped by somebody on the way to it.
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
