//! Starts a program inside a set of any kinds, by a child that enters by itself or by the helper.

use std::{
    ffi::{CString, OsString},
    os::fd::{AsFd, OwnedFd},
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    sync::Arc,
};

use nix::errno::Errno;

use crate::{
    children::pidfd,
    children::process_group,
    children::reaper::{self, Exit},
    confinement::order::Confinement,
    control_group::ControlGroup,
    error::{Error, Result, SystemError},
    helper::entering_child,
    helper::joining,
    helper::program::{Program, c_string},
    helper::shared_pid::SharedPid,
    helper::supervisor,
    helper::vfork::Process,
    kind::{Kind, Kinds},
    namespaces::set::NamespaceSet,
    processes::named_view::NamedView,
    processes::stdio::{OpenStdio, Stdio},
};

/// A program to start. Paths and ids are those inside the set.
#[derive(Clone, Debug, Default)]
pub struct Command {
    pub file: OsString,
    /// The argument vector, with the name of the program first.
    pub argv: Vec<CString>,
    /// `NAME=VALUE`.
    pub environment: Vec<CString>,
    pub directory: Option<PathBuf>,
    pub stdio: Vec<Stdio>,
    pub credentials: Credentials,
    pub confinement: Confinement,
    /// Whether it leads a new session. Default: yes if its pid namespace is not that of the caller.
    pub detached: Option<bool>,
    /// The signal that it gets when the thread that started it ends.
    pub death_signal: Option<i32>,
    /// Its view of a named network.
    pub named_view: Option<NamedView>,
    /// The directory of the control group in which it is started.
    pub control_group: Option<PathBuf>,
}

/// The ids of the program. Default: those of the caller inside.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub groups: Option<Vec<u32>>,
    /// Whether it keeps the capabilities that the caller has inside, even as a user other than 0.
    pub keep_capabilities: bool,
}

/// The result of a spawn.
#[derive(Debug)]
pub struct Spawned {
    pub child: Result<Child>,
    /// Our ends of the pipes, in the order of `stdio`, with `None` for other entries. If the program did not start, the
    /// other ends are closed.
    pub pipes: Vec<Option<OwnedFd>>,
}

#[derive(Debug)]
pub struct Child {
    pid: i32,
    pidfd: Arc<OwnedFd>,
}

/// Starts the program inside these kinds of the set. The program has been executed when this returns.
pub fn spawn(set: &NamespaceSet, kinds: Kinds, command: &Command) -> Spawned {
    let stdio = match OpenStdio::open(&command.stdio) {
        Ok(stdio) => stdio,
        Err(error) => return Spawned { child: Err(error), pipes: Vec::new() },
    };
    let child = start(set, kinds, command, &stdio).map_err(|error| name_program(error, command));
    Spawned { child, pipes: stdio.ours }
}

fn start(set: &NamespaceSet, kinds: Kinds, command: &Command, stdio: &OpenStdio) -> Result<Child> {
    let foreign = joining::foreign(set, kinds);
    let process = if may_enter_by_itself(foreign, command) {
        start_by_itself(set, foreign, command, stdio)?
    } else {
        start_with_helper(set, kinds, command, stdio)?
    };
    Ok(Child { pid: process.pid, pidfd: Arc::new(process.pidfd) })
}

/// Whether the child may enter while it still shares our memory: it joins no namespace that guards memory, and does not
/// change its user or capabilities. Such a change would make all processes that share the memory undumpable, so that
/// their own user could not inspect them (PR_SET_DUMPABLE of prctl(2)).
fn may_enter_by_itself(foreign: Kinds, command: &Command) -> bool {
    let Credentials { uid, gid, keep_capabilities, .. } = command.credentials;
    foreign.is_within(Kinds::OF_THREADS)
        && uid.is_none()
        && gid.is_none()
        && !keep_capabilities
        && command.named_view.is_none()
        && command.confinement.spares_child()
        // Only a fork starts a process in a group: a move is not subject to its limit of processes.
        && command.control_group.is_none()
        // The child would have to wait for a reply that our thread is alive, but that thread sleeps meanwhile.
        && command.death_signal.is_none()
}

fn start_by_itself(set: &NamespaceSet, foreign: Kinds, command: &Command, stdio: &OpenStdio) -> Result<Process> {
    let mut program = Program::of_child();
    joining::join(&mut program, set, foreign);
    if command.detached == Some(true) {
        program.session();
    }
    become_program(&mut program, command, stdio)?;
    entering_child::run(&program, &command.environment)
}

fn start_with_helper(set: &NamespaceSet, kinds: Kinds, command: &Command, stdio: &OpenStdio) -> Result<Process> {
    let group = command.control_group.as_deref().map(ControlGroup::open).transpose()?;
    let group = group.as_ref();
    let mut child_pid = None;
    let mut program = Program::new();
    if joining::foreign(set, kinds).contains(Kind::User) {
        command.confinement.write_raises(&mut program);
    }
    let joined = joining::enter(&mut program, set, kinds)?;
    if joined.contains(Kind::User) {
        become_mapped_ids(&mut program, &command.credentials);
    }
    if let Some(view) = &command.named_view {
        view.write(&mut program)?;
    }
    let has_other_pids = joined.contains(Kind::Pid);
    // With `kill(0, …)` a program inside can signal every process of its group, including those outside (decision
    // 0017).
    let leads_session = command.detached.unwrap_or(has_other_pids);
    if has_other_pids || group.is_some() {
        if leads_session || process_group::is_ours_visible() {
            program.group();
            program.fork(group);
        } else {
            // Our own group has no number here, so a child that has left it could not return to it.
            program.fork_in_our_group(child_pid.insert(SharedPid::new()?), group);
        }
    }
    if leads_session {
        program.session();
    }
    become_program(&mut program, command, stdio)?;
    Ok(supervisor::run(&program, &command.environment, None, &mut |_| Ok(()))?.helper.process)
}

/// Writes the steps that are the same for both ways to start a program.
fn become_program<'fd>(program: &mut Program<'fd>, command: &Command, stdio: &'fd OpenStdio) -> Result<()> {
    let fds: Vec<_> = stdio.theirs().map(|fd| fd.map(|fd| program.pass(fd))).collect();
    program.stdio(&fds);
    if let Some(directory) = &command.directory {
        program.chdir(directory)?;
    }
    let has_rules = command.confinement.write_attributes(program)?;
    take_credentials(program, command);
    command.confinement.write_privileges(program);
    if let Some(signal) = command.death_signal {
        program.death_signal(signal);
        // Our reply shows that this thread was alive when the signal was set, so that its end will send the signal.
        program.await_parent();
    }
    let file = c_string(command.file.as_encoded_bytes())?;
    command.confinement.write_restrictions(program, &file, has_rules);
    program.exec(file, command.argv.clone());
    Ok(())
}

/// Changes to ids that are mapped in the user namespace just joined, if the caller gave none.
fn become_mapped_ids(program: &mut Program<'_>, credentials: &Credentials) {
    if credentials.gid.is_none() {
        program.mapped_group();
    }
    if credentials.uid.is_none() {
        program.mapped_user();
    }
}

/// The groups come first and the user last, because a user other than 0 may change neither (setgroups(2)).
fn take_credentials(program: &mut Program<'_>, command: &Command) {
    let credentials = &command.credentials;
    // The capabilities that are named are taken from those that the user had before.
    if credentials.keep_capabilities || credentials.uid.is_some() && command.confinement.capabilities.is_some() {
        program.keep_capabilities();
    }
    match &credentials.groups {
        Some(groups) => program.groups(groups),
        None if credentials.gid.is_some() || credentials.uid.is_some() => program.drop_groups(),
        None => {}
    }
    if let Some(gid) = credentials.gid {
        program.gid(gid);
    }
    if let Some(uid) = credentials.uid {
        program.uid(uid);
    }
    if credentials.keep_capabilities {
        program.ambient_capabilities();
    }
}

impl Child {
    /// The pid as the caller sees it.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// A handle that can signal the child after the other one was passed to [`Child::on_exit`].
    pub fn signaller(&self) -> Signaller {
        Signaller(Arc::clone(&self.pidfd))
    }

    /// Reaps the child when it ends, and calls `on_exit` on the thread of the reaper.
    pub fn on_exit(self, call: impl FnOnce(Exit) + Send + 'static) {
        reaper::watch(self.pidfd, Box::new(call));
    }
}

/// Signals this child only, even after it has ended and its pid has been reused.
#[derive(Debug)]
pub struct Signaller(Arc<OwnedFd>);

impl Signaller {
    pub fn signal(&self, signal: i32) -> Result<()> {
        pidfd::send_signal(self.0.as_fd(), signal).map_err(|errno| SystemError::new(errno, "kill").into())
    }
}

/// execve(2) returns the same error for what the file names.
const NOT_THERE: &str = "it does not exist inside, or the interpreter (#!) or dynamic loader that it names does not";

/// Names the program in the error of the last step, as Node.js does: `spawn FILE`. Its arguments are in the vector of
/// the helper, so E2BIG may occur before that step.
fn name_program(error: Error, command: &Command) -> Error {
    match error {
        Error::System(mut system) if system.syscall == "spawn" || system.errno == Errno::E2BIG => {
            system.syscall = format!("spawn {}", command.file.to_string_lossy()).into();
            if system.errno == Errno::ENOENT && command.file.as_bytes().contains(&b'/') {
                system = system.hint(NOT_THERE);
            }
            Error::System(system)
        }
        other => other,
    }
}
