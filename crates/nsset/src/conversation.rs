//! Runs a program with the helper: hears what it says, answers, and lets it neither hang nor leave anything behind.

use std::{
    ffi::CString,
    io::{IoSlice, IoSliceMut},
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::Signal,
        socket::{
            AddressFamily, ControlMessageOwned, MsgFlags, Shutdown, SockFlag, SockType, recvmsg, sendmsg, shutdown,
            socketpair,
        },
        wait::{Id, WaitPidFlag, WaitStatus, waitid},
    },
};
use nsset_helper::protocol::{About, MAX_FDS_PER_MESSAGE, Message, Saying};

use crate::{
    cancel::{Cancel, TIME_LIMIT},
    error::{Error, Result, SystemError},
    explain, image,
    launch::{self, Process},
    pidfd,
    program::Program,
    reaper,
};

/// How long a helper is heard out whose work is not wanted any more.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a helper that says nothing is looked at: someone inside may have stopped it.
const GLANCE: Duration = Duration::from_millis(5);

/// How often a thread looks for the helper's next message before it sleeps: for some fifty microseconds.
const LOOKS: u32 = 50;

/// What a program left behind when it went well.
#[derive(Debug)]
pub struct Outcome {
    /// The namespaces that were asked for, in order.
    pub namespaces: Vec<OwnedFd>,
    /// PID 1 of the new pid namespace.
    pub init: Option<OwnedFd>,
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
    let (control, theirs) =
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK)
            .map_err(|errno| SystemError::new(errno, "socketpair"))?;
    // Their end blocks; the flag belongs to each end of its own.
    nix::fcntl::fcntl(&theirs, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::empty()))
        .map_err(|errno| SystemError::new(errno, "fcntl(F_SETFL)"))?;
    let mut fds = vec![theirs.as_fd()];
    fds.extend(program.fds());
    let helper = launch::launch(image::program()?, &program.argv(), environment, &fds).map_err(explain::launch)?;
    drop(theirs);
    let mut conversation = Conversation {
        control,
        processes: vec![helper],
        init: None,
        init_ready: false,
        namespaces: Vec::new(),
        failure: None,
        deadline: Instant::now() + TIME_LIMIT,
    };
    match conversation.hear_out(program, cancel, on_waiting) {
        Ok(()) => conversation.into_outcome(program),
        Err(error) => {
            conversation.break_off();
            Err(error)
        }
    }
}

/// The step that failed.
#[derive(Clone, Copy)]
struct Failure {
    step: u32,
    errno: Errno,
    is_about_source: bool,
}

struct Conversation {
    control: OwnedFd,
    /// The helper, and behind it the child it went on in.
    processes: Vec<Process>,
    init: Option<OwnedFd>,
    init_ready: bool,
    namespaces: Vec<OwnedFd>,
    failure: Option<Failure>,
    deadline: Instant,
}

impl Conversation {
    /// Hears every message until the last holder of the other end is gone: exec'd, or ended.
    fn hear_out(
        &mut self,
        program: &Program<'_>,
        cancel: Option<&Cancel>,
        on_waiting: &mut dyn FnMut(i32) -> Result<()>,
    ) -> Result<()> {
        loop {
            self.wait_for_message(cancel)?;
            let Some((message, fds)) = self.receive()? else { break };
            self.hear(message, fds, on_waiting)?;
        }
        match self.failure {
            Some(Failure { step, errno, is_about_source }) => {
                Err(explain::step(program.label(step), errno, is_about_source))
            }
            None => Ok(()),
        }
    }

    fn hear(
        &mut self,
        message: Message,
        mut fds: Vec<OwnedFd>,
        on_waiting: &mut dyn FnMut(i32) -> Result<()>,
    ) -> Result<()> {
        match Saying::from_u32(message.saying) {
            Some(Saying::Failed) => {
                let is_about_source = message.about == About::Source as u32;
                self.failure.get_or_insert(Failure {
                    step: message.step,
                    errno: Errno::from_raw(message.value),
                    is_about_source,
                });
            }
            Some(Saying::Waiting) => {
                on_waiting(self.processes[0].pid)?;
                self.answer()?;
            }
            Some(Saying::Forked) => {
                let child = Process::of_child(message.value);
                self.processes.push(child.map_err(|errno| SystemError::new(errno, "pidfd_open").pid(message.value))?);
                self.answer()?;
            }
            Some(Saying::InitStarted) => self.init = fds.pop(),
            Some(Saying::InitReady) => self.init_ready = true,
            Some(Saying::Namespaces) => self.namespaces = fds,
            None => return Err(SystemError::new(Errno::EPROTO, "recvmsg").into()),
        }
        Ok(())
    }

    fn wait_for_message(&self, cancel: Option<&Cancel>) -> Result<()> {
        if self.is_quick() {
            return Ok(());
        }
        loop {
            let mut fds = vec![PollFd::new(self.control.as_fd(), PollFlags::POLLIN)];
            fds.extend(cancel.map(|cancel| PollFd::new(cancel.as_fd(), PollFlags::POLLIN)));
            let timeout = PollTimeout::try_from(GLANCE).unwrap_or(PollTimeout::NONE);
            match poll(&mut fds, timeout) {
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(SystemError::new(errno, "poll").into()),
                Ok(_) => {}
            }
            if fds.get(1).is_some_and(|fd| fd.any() == Some(true)) {
                return Err(Error::Aborted);
            }
            if fds[0].any() == Some(true) {
                return Ok(());
            }
            self.wake_stopped();
            if Instant::now() > self.deadline {
                let hint = format!("the helper did not come to an end within {} s", TIME_LIMIT.as_secs());
                return Err(SystemError::new(Errno::ETIMEDOUT, "nsset-helper").hint(hint).into());
            }
        }
    }

    /// Looks for a message a few times before the thread sleeps: the helper mostly speaks within microseconds, and to be
    /// woken costs more than that.
    fn is_quick(&self) -> bool {
        let mut fds = [PollFd::new(self.control.as_fd(), PollFlags::POLLIN)];
        (0..LOOKS).any(|_| {
            std::thread::yield_now();
            poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0)
        })
    }

    /// Whoever may signal inside the set may stop the helper on its way; it is set going again.
    fn wake_stopped(&self) {
        let pidfds = self.processes.iter().map(|process| &process.pidfd).chain(&self.init);
        for pidfd in pidfds {
            let flags = WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG | WaitPidFlag::__WALL;
            if let Ok(WaitStatus::Stopped(..)) = waitid(Id::PIDFd(pidfd.as_fd()), flags) {
                pidfd::kill(pidfd, Signal::SIGCONT);
            }
        }
    }

    /// The next message with its descriptors, or `None` at the end.
    fn receive(&self) -> Result<Option<(Message, Vec<OwnedFd>)>> {
        let mut bytes = [0u8; Message::SIZE];
        let mut space = nix::cmsg_space!([std::os::fd::RawFd; MAX_FDS_PER_MESSAGE]);
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let received =
            recvmsg::<()>(self.control.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC);
        let received = match received {
            // Who ended with our word unread resets the connection.
            Err(Errno::ECONNRESET) => return Ok(None),
            other => other.map_err(|errno| SystemError::new(errno, "recvmsg"))?,
        };
        let mut fds = Vec::new();
        if let Ok(controls) = received.cmsgs() {
            for control in controls {
                if let ControlMessageOwned::ScmRights(raw) = control {
                    // SAFETY: the kernel has just put them into our table, close-on-exec, and told nobody else.
                    fds.extend(raw.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
                }
            }
        }
        match received.bytes {
            0 => Ok(None),
            Message::SIZE => Ok(Some((decode(bytes), fds))),
            _ => Err(SystemError::new(Errno::EPROTO, "recvmsg").into()),
        }
    }

    fn answer(&self) -> Result<()> {
        let word = [IoSlice::new(b"!")];
        match sendmsg::<()>(self.control.as_raw_fd(), &word, &[], MsgFlags::MSG_NOSIGNAL, None) {
            // Gone already: the end of the conversation says how.
            Ok(_) | Err(Errno::EPIPE | Errno::ECONNRESET) => Ok(()),
            Err(errno) => Err(SystemError::new(errno, "sendmsg").into()),
        }
    }

    fn into_outcome(mut self, program: &Program<'_>) -> Result<Outcome> {
        let promised = program.promises();
        let complete = self.namespaces.len() == promised.namespaces
            && (self.init.is_some() && self.init_ready) == promised.init
            && (self.processes.len() == 2) == promised.fork;
        if !complete {
            self.kill();
            let hint = "the helper was killed before it was done";
            return Err(SystemError::new(Errno::ECHILD, "nsset-helper").hint(hint).into());
        }
        let process = self.processes.pop().expect("there is always the helper");
        // The helper that went on in a child has left by itself.
        for process in &self.processes {
            reaper::wait(&process.pidfd);
        }
        Ok(Outcome { namespaces: self.namespaces, init: self.init, process })
    }

    /// Ends the conversation early. Whoever waits for our word gets the end of it, and leaves; what they still have to say
    /// is heard, because nobody else knows of a child that was just cloned.
    fn break_off(&mut self) {
        let _ = shutdown(self.control.as_raw_fd(), Shutdown::Write);
        self.deadline = Instant::now() + PATIENCE;
        while self.wait_for_message(None).is_ok() {
            let Ok(Some((message, mut fds))) = self.receive() else { break };
            match Saying::from_u32(message.saying) {
                Some(Saying::Forked) => self.processes.extend(Process::of_child(message.value).ok()),
                Some(Saying::InitStarted) => self.init = fds.pop(),
                _ => {}
            }
        }
        self.kill();
    }

    /// Ends all that was started. What is killed is gone within moments; should it not be, the reaper has it.
    fn kill(&mut self) {
        let pidfds = self.processes.drain(..).map(|process| process.pidfd).chain(self.init.take());
        for pidfd in pidfds.collect::<Vec<_>>() {
            pidfd::kill(&pidfd, Signal::SIGKILL);
            let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
            let ended = poll(&mut fds, PollTimeout::from(200u8)).is_ok_and(|count| count > 0);
            if ended {
                reaper::wait(&pidfd);
            } else {
                reaper::watch(pidfd.into(), Box::new(drop));
            }
        }
    }
}

fn decode(bytes: [u8; Message::SIZE]) -> Message {
    let word = |index: usize| [bytes[index], bytes[index + 1], bytes[index + 2], bytes[index + 3]];
    Message {
        saying: u32::from_ne_bytes(word(0)),
        step: u32::from_ne_bytes(word(4)),
        value: i32::from_ne_bytes(word(8)),
        about: u32::from_ne_bytes(word(12)),
    }
}
