//! Starts a program inside a set, of any kinds, by way of the helper.

use std::{
    ffi::{CString, OsString},
    os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd},
    path::PathBuf,
    sync::Arc,
};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use crate::{
    conversation,
    error::{Error, Result, SystemError},
    kind::{Kind, Kinds},
    launch::{self, Process},
    pidfd, plan, proc,
    program::{Program, c_string},
    reaper::{self, Exit},
    set::NamespaceSet,
};

/// What becomes of one of the program's descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdio {
    /// A stream socket; our end comes back with the child.
    Pipe,
    /// `/dev/null`, the caller's.
    Ignore,
    /// A descriptor of the caller's.
    Inherit(RawFd),
}

/// A program to start. Paths are resolved inside the set.
#[derive(Clone, Debug)]
pub struct Command {
    pub file: OsString,
    /// The whole vector, the program's name first.
    pub argv: Vec<OsString>,
    /// `NAME=VALUE`.
    pub environment: Vec<OsString>,
    pub directory: Option<PathBuf>,
    pub stdio: Vec<Stdio>,
}

/// A running program.
#[derive(Debug)]
pub struct Child {
    pid: i32,
    pidfd: Arc<OwnedFd>,
    /// Our ends of the pipes, in the order of `stdio`, with `None` where there is no pipe.
    pub pipes: Vec<Option<OwnedFd>>,
}

/// Starts the program inside these kinds of the set. It has exec'd when this returns.
pub fn spawn(set: &NamespaceSet, kinds: Kinds, command: &Command) -> Result<Child> {
    let stdio = open_stdio(&command.stdio)?;
    let argv = c_strings(&command.argv)?;
    let environment = c_strings(&command.environment)?;
    let mut program = Program::new();
    let joined = plan::foreign(set, kinds);
    if joined.contains(Kind::User) {
        program.hold_proc(proc::hold()?);
    }
    program.undumpable();
    plan::join(&mut program, set, joined);
    if joined.contains(Kind::User) {
        program.identity();
    }
    if joined.contains(Kind::Pid) {
        program.fork();
    }
    let fds: Vec<_> = stdio.iter().map(|stdio| program.pass(stdio.theirs())).collect();
    program.stdio(&fds);
    if let Some(directory) = &command.directory {
        program.chdir(directory)?;
    }
    program.exec(c_string(command.file.as_encoded_bytes())?, argv);

    let outcome = conversation::run(&program, &environment, None, &mut |_| Ok(()));
    let Process { pid, pidfd } = outcome.map_err(|error| name_program(error, command))?.process;
    drop(program);
    let pipes = stdio.into_iter().map(OpenStdio::into_ours).collect();
    Ok(Child { pid, pidfd: Arc::new(pidfd), pipes })
}

impl Child {
    /// The pid as the caller sees it.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// A handle that can still signal the child when the other one has gone to [`Child::on_exit`].
    pub fn signaller(&self) -> Signaller {
        Signaller(Arc::clone(&self.pidfd))
    }

    /// Reaps the child when it ends, and calls back on the reaper's thread.
    pub fn on_exit(self, call: impl FnOnce(Exit) + Send + 'static) {
        reaper::watch(self.pidfd, Box::new(call));
    }
}

/// Signals a child and nobody else, even after it has ended and its pid is a stranger's.
#[derive(Debug)]
pub struct Signaller(Arc<OwnedFd>);

impl Signaller {
    pub fn signal(&self, signal: i32) -> Result<()> {
        pidfd::send_signal(self.0.as_fd(), signal).map_err(|errno| SystemError::new(errno, "kill").into())
    }
}

enum OpenStdio {
    Pipe {
        ours: OwnedFd,
        theirs: OwnedFd,
    },
    Ignore(OwnedFd),
    /// Borrowed for the length of a spawn.
    Inherit(OwnedFd),
}

impl OpenStdio {
    fn theirs(&self) -> BorrowedFd<'_> {
        match self {
            Self::Pipe { theirs: fd, .. } | Self::Ignore(fd) | Self::Inherit(fd) => fd.as_fd(),
        }
    }

    fn into_ours(self) -> Option<OwnedFd> {
        match self {
            Self::Pipe { ours, .. } => Some(ours),
            Self::Ignore(_) | Self::Inherit(_) => None,
        }
    }
}

fn open_stdio(stdio: &[Stdio]) -> Result<Vec<OpenStdio>> {
    stdio.iter().map(|stdio| open_one(*stdio)).collect()
}

fn open_one(stdio: Stdio) -> Result<OpenStdio> {
    match stdio {
        Stdio::Pipe => {
            let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)
                .map_err(|errno| SystemError::new(errno, "socketpair"))?;
            Ok(OpenStdio::Pipe { ours, theirs })
        }
        Stdio::Ignore => {
            let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null");
            let null =
                null.map_err(|error| SystemError::new(crate::set::last_errno(&error), "open").path("/dev/null"))?;
            Ok(OpenStdio::Ignore(null.into()))
        }
        Stdio::Inherit(fd) => Ok(OpenStdio::Inherit(launch::duplicate(fd).map_err(|errno| {
            SystemError::new(errno, "fcntl(F_DUPFD_CLOEXEC)")
                .hint(format!("stdio names descriptor {fd}, which is not open"))
        })?)),
    }
}

fn c_strings(strings: &[OsString]) -> Result<Vec<CString>> {
    strings.iter().map(|string| c_string(string.as_encoded_bytes())).collect()
}

/// Names the program in the error of the last step, as Node does: `spawn FILE`.
fn name_program(error: Error, command: &Command) -> Error {
    match error {
        Error::System(mut system) if system.syscall == "spawn" => {
            system.syscall = format!("spawn {}", command.file.to_string_lossy()).into();
            Error::System(system)
        }
        other => other,
    }
}
