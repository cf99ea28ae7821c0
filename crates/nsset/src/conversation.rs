//! Runs a program with the helper: hears what it says, answers, and lets it neither hang nor leave anything behind.

use std::{
    ffi::CString,
    io::IoSlice,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::PollTimeout,
    sys::{
        signal::Signal,
        socket::{AddressFamily, MsgFlags, Shutdown, SockFlag, SockType, sendmsg, shutdown, socketpair},
        wait::{Id, WaitPidFlag, WaitStatus, waitid},
    },
};
use nsset_helper::protocol::{About, MAX_CONTENT, Message, Saying};

use crate::{
    cancel::{Cancel, TIME_LIMIT, wait_readable},
    error::{Error, Result, SystemError},
    explain, image,
    launch::{self, Process},
    pidfd,
    program::Program,
    reaper, rights,
};

/// How long a helper is heard out whose work is not wanted any more, and how long somebody may hold one up.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many milliseconds go by between two looks at a helper that says nothing: someone inside may have stopped it.
const GLANCE: u8 = 1;

/// How often a thread looks for the helper's next message before it sleeps: for some fifty microseconds.
const LOOKS: u32 = 50;

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
    // Their end blocks; ours does not, by the flags of each call.
    let (control, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
        .map_err(|errno| SystemError::new(errno, "socketpair"))?;
    let mut fds = vec![theirs.as_fd()];
    fds.extend(program.fds());
    // No child without who waits for it.
    reaper::start()?;
    let helper = launch::launch(image::program()?, &program.argv(), environment, &fds).map_err(explain::launch)?;
    drop(theirs);
    let mut conversation = Conversation {
        control,
        processes: vec![helper],
        init: None,
        init_ready: false,
        namespaces: Vec::new(),
        socket: None,
        content: None,
        is_written: false,
        packet: vec![0; Message::SIZE + if program.promises().content { MAX_CONTENT } else { 0 }],
        failure: None,
        lost_child: None,
        deadline: Instant::now() + TIME_LIMIT,
        held_up_since: None,
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
    about: About,
}

/// A message, the descriptors that came beside it, and what follows it in the packet.
struct Heard {
    message: Message,
    fds: Vec<OwnedFd>,
    content: Vec<u8>,
}

struct Conversation {
    control: OwnedFd,
    /// The helper, and behind it the child it went on in.
    processes: Vec<Process>,
    init: Option<OwnedFd>,
    init_ready: bool,
    namespaces: Vec<OwnedFd>,
    socket: Option<OwnedFd>,
    content: Option<Vec<u8>>,
    is_written: bool,
    /// Where messages are received.
    packet: Vec<u8>,
    failure: Option<Failure>,
    /// A child of ours whose descriptor did not fit into our table.
    lost_child: Option<i32>,
    deadline: Instant,
    /// When somebody was first seen to have stopped what works for us.
    held_up_since: Option<Instant>,
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
            let Some(heard) = self.receive()? else { break };
            self.hear(heard, on_waiting)?;
        }
        match self.failure {
            Some(Failure { step, errno, about }) => Err(explain::step(program.label(step), errno, about)),
            None => Ok(()),
        }
    }

    fn hear(&mut self, heard: Heard, on_waiting: &mut dyn FnMut(i32) -> Result<()>) -> Result<()> {
        let Heard { message, mut fds, content } = heard;
        match Saying::from_u32(message.saying) {
            Some(Saying::Failed) => {
                let about = About::from_u32(message.about);
                self.failure.get_or_insert(Failure {
                    step: message.step,
                    errno: Errno::from_raw(message.value),
                    about,
                });
            }
            Some(Saying::Waiting) => {
                on_waiting(self.processes[0].pid)?;
                self.answer()?;
            }
            Some(Saying::Forked) => {
                self.processes.extend(fds.pop().map(|pidfd| Process { pid: message.value, pidfd }));
                self.answer()?;
            }
            Some(Saying::InitStarted) => self.init = fds.pop(),
            Some(Saying::InitReady) => self.init_ready = true,
            Some(Saying::Namespaces) => self.namespaces = fds,
            Some(Saying::Socket) => self.socket = fds.pop(),
            Some(Saying::Content) => self.content = Some(content),
            Some(Saying::Written) => self.is_written = true,
            None => return Err(SystemError::new(Errno::EPROTO, "recvmsg").into()),
        }
        Ok(())
    }

    fn wait_for_message(&mut self, cancel: Option<&Cancel>) -> Result<()> {
        // A few looks first: the helper mostly speaks within microseconds, and to be woken costs more than that.
        for look in 0.. {
            let timeout = if look < LOOKS { PollTimeout::ZERO } else { PollTimeout::from(GLANCE) };
            if look < LOOKS {
                std::thread::yield_now();
            }
            if wait_readable(Some(self.control.as_fd()), cancel, timeout)? {
                break;
            }
            if look >= LOOKS {
                self.wake_stopped();
                self.check_time()?;
            }
        }
        Ok(())
    }

    fn check_time(&self) -> Result<()> {
        let is_held_up = self.held_up_since.is_some_and(|since| since.elapsed() > PATIENCE);
        let hint = if is_held_up {
            "somebody inside the set keeps stopping what is started there (SIGSTOP)".to_owned()
        } else if Instant::now() > self.deadline {
            format!("the helper did not come to an end within {} s", TIME_LIMIT.as_secs())
        } else {
            return Ok(());
        };
        Err(SystemError::new(Errno::ETIMEDOUT, "nsset-helper").hint(hint).into())
    }

    /// Whoever may signal inside the set may stop the helper on its way; it is set going again.
    fn wake_stopped(&mut self) {
        let pidfds = self.processes.iter().map(|process| &process.pidfd).chain(&self.init);
        for pidfd in pidfds {
            let flags = WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG | WaitPidFlag::__WALL;
            if let Ok(WaitStatus::Stopped(..)) = waitid(Id::PIDFd(pidfd.as_fd()), flags) {
                self.held_up_since.get_or_insert_with(Instant::now);
                pidfd::kill(pidfd, Signal::SIGCONT);
            }
        }
    }

    /// The next message, or `None` at the end.
    fn receive(&mut self) -> Result<Option<Heard>> {
        let received = match rights::receive(self.control.as_fd(), &mut self.packet) {
            // Who ended with our word unread resets the connection.
            Err(Errno::ECONNRESET) => return Ok(None),
            other => other.map_err(|errno| SystemError::new(errno, "recvmsg"))?,
        };
        if received.length == 0 {
            return Ok(None);
        }
        let Some((bytes, content)) = self.packet[..received.length].split_first_chunk() else {
            return Err(SystemError::new(Errno::EPROTO, "recvmsg").into());
        };
        let (message, content) = (decode(*bytes), content.to_vec());
        if received.is_truncated {
            self.lose(message);
            return Err(SystemError::new(Errno::EMFILE, "recvmsg").into());
        }
        Ok(Some(Heard { message, fds: received.fds, content }))
    }

    /// Keeps the pid of a child whose descriptor did not fit into our table, where that is a pid that means it to us: not
    /// of one whose parent stands in another pid namespace.
    fn lose(&mut self, message: Message) {
        let has_forked = self.processes.len() > 1;
        match Saying::from_u32(message.saying) {
            Some(Saying::Forked) => self.lost_child = Some(message.value),
            Some(Saying::InitStarted) if !has_forked => self.lost_child = Some(message.value),
            _ => {}
        }
    }

    fn answer(&self) -> Result<()> {
        let word = [IoSlice::new(b"!")];
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        match sendmsg::<()>(self.control.as_raw_fd(), &word, &[], flags, None) {
            // Gone already: the end of the conversation says how.
            Ok(_) | Err(Errno::EPIPE | Errno::ECONNRESET) => Ok(()),
            Err(errno) => Err(SystemError::new(errno, "sendmsg").into()),
        }
    }

    fn into_outcome(mut self, program: &Program<'_>) -> Result<Outcome> {
        let promised = program.promises();
        let complete = self.namespaces.len() == promised.namespaces
            && self.socket.is_some() == promised.socket
            && self.content.is_some() == promised.content
            && self.is_written == promised.written
            && (self.init.is_some() && self.init_ready) == promised.init
            && (self.processes.len() == 2) == promised.fork;
        if !complete {
            self.kill();
            let hint = "the helper was killed before it was done";
            return Err(SystemError::new(Errno::ECHILD, "nsset-helper").hint(hint).into());
        }
        let process = self.processes.pop().expect("there is always the helper");
        // The helper that went on in a child has left by itself.
        self.processes.drain(..).for_each(dismiss);
        let Self { namespaces, socket, content, init, .. } = self;
        Ok(Outcome { namespaces, socket, content, init, process })
    }

    /// Ends the conversation early. Whoever waits for our word gets the end of it, and leaves; what they still have to say
    /// is heard, because nobody else knows of a child that was just cloned.
    fn break_off(&mut self) {
        let _ = shutdown(self.control.as_raw_fd(), Shutdown::Write);
        self.deadline = Instant::now() + PATIENCE;
        while self.wait_for_message(None).is_ok() {
            let Heard { message, mut fds, .. } = match self.receive() {
                Ok(Some(heard)) => heard,
                Err(Error::System(error)) if error.errno == Errno::EMFILE => continue,
                Ok(None) | Err(_) => break,
            };
            match Saying::from_u32(message.saying) {
                Some(Saying::Forked) => {
                    self.processes.extend(fds.pop().map(|pidfd| Process { pid: message.value, pidfd }));
                }
                Some(Saying::InitStarted) => self.init = fds.pop(),
                _ => {}
            }
        }
        self.kill();
        if let Some(pidfd) = self.lost_child.and_then(|pid| pidfd::open(pid).ok()) {
            pidfd::kill(&pidfd, Signal::SIGKILL);
            reaper::reap(pidfd);
        }
    }

    /// Ends all that was started. What is killed is gone within moments; should it not be, the reaper has it.
    fn kill(&mut self) {
        let pidfds = self.processes.drain(..).map(|process| process.pidfd).chain(self.init.take());
        for pidfd in pidfds.collect::<Vec<_>>() {
            pidfd::kill(&pidfd, Signal::SIGKILL);
            reaper::reap(pidfd);
        }
    }
}

/// Lets a helper go that has closed its end of the socket: it is ending, or stopped by somebody on the way to it.
pub fn dismiss(helper: Process) {
    pidfd::kill(&helper.pidfd, Signal::SIGKILL);
    reaper::reap(helper.pidfd);
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
