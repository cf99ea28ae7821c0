//! Writes the program of the helper, step by step. Each step has a label, which an error of the step contains.

mod confining;
pub mod mounting;

use std::{
    borrow::Cow,
    ffi::{CStr, CString},
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use nsset_helper::protocol::{FIRST_PASSED_FD, MAX_PROGRAM, MAX_PROGRAM_FDS, MAX_STRINGS, word};

use crate::{
    control_group::ControlGroup,
    error::{Error, Result},
    helper::shared_pid::SharedPid,
    kind::{Kind, Kinds},
    namespaces::namespace::Namespace,
};

/// How an error names a step that failed.
#[derive(Clone, Debug)]
pub struct Label {
    pub syscall: &'static str,
    pub kind: Option<Kind>,
    pub path: Option<PathBuf>,
    /// The other path, of a step that has two.
    pub source: Option<PathBuf>,
    /// The type of a new file system.
    pub file_system: Option<String>,
    pub hint: Option<Cow<'static, str>>,
}

impl Label {
    pub const fn new(syscall: &'static str) -> Self {
        Self { syscall, kind: None, path: None, source: None, file_system: None, hint: None }
    }

    pub fn socket() -> Self {
        Self { kind: Some(Kind::Net), ..Self::new("socket") }
    }

    pub fn hostname() -> Self {
        Self {
            kind: Some(Kind::Uts),
            hint: Some("a host name has at most 64 bytes".into()),
            ..Self::new("sethostname")
        }
    }

    pub fn loopback() -> Self {
        Self { kind: Some(Kind::Net), path: Some("lo".into()), ..Self::new("ioctl(SIOCSIFFLAGS)") }
    }

    pub fn tun() -> Self {
        Self {
            kind: Some(Kind::Net),
            path: Some("/dev/net/tun".into()),
            hint: Some("the device needs the module tun, and the caller has to be able to read and write it".into()),
            ..Self::new("open")
        }
    }
}

/// A program for the helper, and the descriptors that are passed to it.
#[derive(Debug, Default)]
pub struct Program<'fd> {
    words: Vec<CString>,
    labels: Vec<Label>,
    fds: Vec<Passed<'fd>>,
    child_pid: Option<&'fd SharedPid>,
    promises: Promises,
    /// Whether it is for a child that keeps our descriptors and their numbers.
    is_of_child: bool,
}

/// A descriptor for the helper, held for as long as the program is.
#[derive(Debug)]
enum Passed<'fd> {
    Namespace(Arc<Namespace>),
    Other(BorrowedFd<'fd>),
}

impl AsFd for Passed<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Namespace(namespace) => namespace.as_fd(),
            Self::Other(fd) => *fd,
        }
    }
}

/// The messages that the helper sends if it is not interrupted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Promises {
    pub namespaces: usize,
    pub socket: bool,
    pub content: bool,
    pub written: bool,
    pub init: bool,
    pub fork: bool,
    /// Whether the helper leads a process group, which its children are in.
    pub group: bool,
    /// Whether it executes another program at its end.
    pub exec: bool,
    /// Whether it makes a new session.
    pub session: bool,
    /// Whether it waits for another program at its end.
    pub stay: bool,
}

/// The words before the steps that were added.
#[derive(Debug)]
pub struct Opening([CString; 3]);

impl<'fd> Program<'fd> {
    pub fn new() -> Self {
        Self::default()
    }

    /// For a child that has copies of all of our descriptors.
    pub fn of_child() -> Self {
        Self { is_of_child: true, ..Self::default() }
    }

    pub fn words(&self) -> &[CString] {
        &self.words
    }

    /// The number of words, and `keep`, which is always the first step.
    pub fn opening(&self) -> Opening {
        let count = decimal(2 + self.words.len() as u64);
        Opening([count, constant(word::KEEP), decimal(self.fds.len() as u64)])
    }

    /// The environment vector: the program, an empty word, and the environment of the program that the helper executes
    /// at its end.
    pub fn envp<'a>(&'a self, opening: &'a Opening, environment: &'a [CString]) -> Vec<&'a CStr> {
        let words = opening.0.iter().chain(&self.words).map(CString::as_c_str);
        words.chain([c""]).chain(environment.iter().map(CString::as_c_str)).collect()
    }

    /// The packet that sends the program to a helper that waits for it; `None` if the helper has no room for it.
    pub fn packet(&self) -> Option<Vec<u8>> {
        let packet: Vec<u8> = self.words.iter().flat_map(CString::as_bytes_with_nul).copied().collect();
        let has_room =
            packet.len() <= MAX_PROGRAM && self.words.len() <= MAX_STRINGS && self.fds.len() <= MAX_PROGRAM_FDS;
        has_room.then_some(packet)
    }

    /// The label of the step with this number; `keep` is number 0.
    pub fn label(&self, step: u32) -> Label {
        let label = (step as usize).checked_sub(1).and_then(|index| self.labels.get(index));
        label.cloned().unwrap_or(Label::new("close_range"))
    }

    pub fn promises(&self) -> Promises {
        self.promises
    }

    pub fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.fds.iter().map(AsFd::as_fd)
    }

    /// Passes a descriptor to the helper, and returns its number there.
    pub fn pass(&mut self, fd: BorrowedFd<'fd>) -> i32 {
        self.hand_over(Passed::Other(fd))
    }

    fn hand_over(&mut self, passed: Passed<'fd>) -> i32 {
        let number =
            if self.is_of_child { passed.as_fd().as_raw_fd() } else { FIRST_PASSED_FD + self.fds.len() as i32 };
        self.fds.push(passed);
        number
    }

    /// Waits this long for the program that the helper continues with.
    pub fn receive(&mut self, idle: Duration) {
        self.step(word::RECEIVE, "recvmsg");
        self.operands([decimal(idle.as_millis() as u64)]);
    }

    /// Has the helper leave the working directory, and wait this long for another program. Has to be last.
    pub fn stay(&mut self, idle: Duration) -> Result<()> {
        self.promises.stay = true;
        self.chdir(Path::new("/"))?;
        self.receive(idle);
        Ok(())
    }

    pub fn undumpable(&mut self) {
        self.step(word::UNDUMPABLE, "prctl(PR_SET_DUMPABLE)");
    }

    pub fn hold_proc(&mut self, proc: BorrowedFd<'fd>) {
        let fd = self.pass(proc);
        self.step(word::PROC, "open").path = Some("/proc".into());
        self.operands([decimal(fd as u64)]);
    }

    pub fn open_offsets(&mut self) {
        let label = self.step(word::OPEN_OFFSETS, "open");
        label.kind = Some(Kind::Time);
        label.path = Some("/proc/self/timens_offsets".into());
    }

    pub fn setns(&mut self, namespace: Arc<Namespace>) {
        let kind = namespace.kind();
        let fd = self.hand_over(Passed::Namespace(namespace));
        self.step(word::SETNS, "setns").kind = Some(kind);
        self.operands([decimal(fd as u64), decimal(kind.flag().into())]);
    }

    /// Makes the helper lead a process group. Has to come before every step that starts a child.
    pub fn group(&mut self) {
        if !self.promises.group {
            self.promises.group = true;
            self.step(word::GROUP, "setpgid");
        }
    }

    /// Continues in a child, in the pid namespace that was joined and in this control group.
    pub fn fork(&mut self, group: Option<&'fd ControlGroup>) {
        self.fork_with(None, group);
    }

    /// Like [`Program::fork`], for a child that stays in our process group.
    pub fn fork_in_our_group(&mut self, child_pid: &'fd SharedPid, group: Option<&'fd ControlGroup>) {
        self.child_pid = Some(child_pid);
        let fd = self.pass(child_pid.as_fd());
        self.fork_with(Some(fd), group);
    }

    fn fork_with(&mut self, child_pid: Option<i32>, group: Option<&'fd ControlGroup>) {
        self.promises.fork = true;
        let directory = group.map(|group| self.pass(group.directory()));
        let procs = group.map(|group| self.pass(group.procs()));
        let has_other_pids = self.labels.iter().any(|label| label.syscall == "setns" && label.kind == Some(Kind::Pid));
        let label = self.step(word::FORK, "clone");
        label.kind = has_other_pids.then_some(Kind::Pid);
        label.path = group.map(|group| group.path().into());
        self.operands([child_pid, directory, procs].map(optional_fd));
    }

    /// The file for the pid of the child, of [`Program::fork_in_our_group`].
    pub fn child_pid(&self) -> Option<&'fd SharedPid> {
        self.child_pid
    }

    pub fn unshare(&mut self, kinds: Kinds) {
        let mut each = kinds.iter();
        let only = each.next().filter(|_| each.next().is_none());
        self.step(word::UNSHARE, "unshare").kind = only;
        self.operands([decimal(kinds.flags().into())]);
    }

    pub fn await_parent(&mut self) {
        self.step(word::AWAIT, "read");
    }

    pub fn nest_user(&mut self, uid_map: &str, gid_map: &str, setgroups: &str) {
        self.step(word::NEST_USER, "unshare").kind = Some(Kind::User);
        self.operands([uid_map, gid_map, setgroups].map(literal));
    }

    pub fn join_nested_user(&mut self) {
        self.step(word::JOIN_NESTED_USER, "setns").kind = Some(Kind::User);
    }

    /// PID 1 runs the steps of `inner`, and then reads `line` until its end.
    pub fn init(&mut self, line: BorrowedFd<'fd>, inner: Self) {
        debug_assert!(inner.fds.is_empty(), "PID 1 gets only its line");
        let fd = self.pass(line);
        self.promises.init = true;
        self.step(word::INIT, "clone").kind = Some(Kind::Pid);
        self.operands([fd as usize, inner.labels.len(), inner.words.len()].map(|number| decimal(number as u64)));
        self.append(inner);
    }

    pub fn append(&mut self, other: Self) {
        self.words.extend(other.words);
        self.labels.extend(other.labels);
        self.fds.extend(other.fds);
    }

    /// Has PID 1 get the network that the helper makes while PID 1 runs its steps. Has to come before [`Program::init`].
    pub fn network_pair(&mut self) {
        self.step(word::NETWORK_PAIR, "socketpair");
    }

    /// Sends the network to PID 1.
    pub fn send_network(&mut self) {
        self.step(word::SEND_NETWORK, "sendmsg").kind = Some(Kind::Net);
    }

    /// The step of PID 1 that waits for the network.
    pub fn take_network(&mut self) {
        self.step(word::TAKE_NETWORK, "setns").kind = Some(Kind::Net);
    }

    /// Mounts a sysfs of the joined network over the one on /sys.
    pub fn sysfs(&mut self, is_required: bool) {
        let label = self.step(word::SYSFS, "mount");
        label.path = Some("/sys".into());
        label.file_system = Some("sysfs".into());
        self.operands([decimal(is_required.into())]);
    }

    /// Continues in a copy of the mount namespace.
    pub fn own_mounts(&mut self, is_required: bool) {
        self.step(word::OWN_MOUNTS, "unshare").kind = Some(Kind::Mnt);
        self.operands([decimal(is_required.into())]);
    }

    /// Binds a file or directory over another one. A symbolic link is covered itself.
    pub fn cover(&mut self, source: &Path, target: &Path, is_required: bool) -> Result<()> {
        let label = self.step(word::COVER, "mount bind");
        label.path = Some(target.into());
        label.source = Some(source.into());
        self.operands([decimal(is_required.into())]);
        self.operand(source)?;
        self.operand(target)
    }

    pub fn hostname(&mut self, name: &str) -> Result<()> {
        self.labelled_step(word::HOSTNAME, Label::hostname());
        self.operand(Path::new(name))
    }

    pub fn loopback(&mut self) {
        self.labelled_step(word::LOOPBACK, Label::loopback());
    }

    pub fn offsets(&mut self, text: &str) {
        let label = self.step(word::OFFSETS, "write");
        label.kind = Some(Kind::Time);
        label.path = Some("/proc/self/timens_offsets".into());
        label.hint = Some("an offset may not bring a clock below 0 or past 146 years (time_namespaces(7))".into());
        self.operands([literal(text)]);
    }

    /// Sends the namespaces that unshare(2) made, in the order of their kinds.
    pub fn namespaces(&mut self, kinds: Kinds) {
        self.promises.namespaces = kinds.iter().count();
        self.step(word::NAMESPACES, "open").path = Some("/proc/self/ns".into());
        self.operands([decimal(self.promises.namespaces as u64)]);
        for kind in kinds.iter() {
            self.operands([literal(kind.unshared_name())]);
        }
    }

    /// Sends a socket. The numbers are those of socket(2), and none of them is negative.
    pub fn socket(&mut self, domain: u32, kind: u32, protocol: u32) {
        self.promises.socket = true;
        self.labelled_step(word::SOCKET, Label::socket());
        self.operands([domain, kind, protocol].map(|number| decimal(number.into())));
    }

    pub fn tun(&mut self) {
        self.promises.socket = true;
        self.labelled_step(word::TUN, Label::tun());
    }

    /// Sends a unix socket that is bound to this path.
    pub fn unix_socket(&mut self, path: &Path, label: Label) -> Result<()> {
        self.promises.socket = true;
        self.labelled_step(word::UNIX_SOCKET, label);
        self.operand(path)
    }

    /// Sends a directory, as a place for names.
    pub fn hold(&mut self, directory: &Path, label: Label) -> Result<()> {
        self.promises.socket = true;
        self.labelled_step(word::HOLD, label);
        self.operand(directory)
    }

    /// Sends the content of a file below this directory.
    pub fn read_file(&mut self, directory: BorrowedFd<'fd>, path: &Path, label: Label) -> Result<()> {
        self.promises.content = true;
        let fd = self.pass(directory);
        self.labelled_step(word::READ_FILE, label);
        self.operands([decimal(fd as u64)]);
        self.operand(path)
    }

    /// Writes a text to a file below this directory, and reports that.
    pub fn write_file(&mut self, directory: BorrowedFd<'fd>, path: &Path, text: &str, label: Label) -> Result<()> {
        self.promises.written = true;
        let fd = self.pass(directory);
        self.labelled_step(word::WRITE_FILE, label);
        self.operands([decimal(fd as u64)]);
        self.operand(path)?;
        self.operand(Path::new(text))
    }

    /// Gives the caller ids that are mapped in the user namespace just joined.
    pub fn mapped_ids(&mut self) {
        self.mapped_group();
        self.mapped_user();
    }

    pub fn mapped_group(&mut self) {
        let label = self.step(word::MAPPED_GROUP, "setresgid");
        label.kind = Some(Kind::User);
        label.hint =
            Some("neither the caller's group nor group 0 is mapped in the user namespace: map one of them".into());
    }

    pub fn mapped_user(&mut self) {
        let label = self.step(word::MAPPED_USER, "setresuid");
        label.kind = Some(Kind::User);
        label.hint =
            Some("neither the caller's user nor user 0 is mapped in the user namespace: map one of them".into());
    }

    pub fn groups(&mut self, groups: &[u32]) {
        self.step(word::GROUPS, "setgroups");
        self.operands([decimal(groups.len() as u64)]);
        self.operands(groups.iter().map(|group| decimal((*group).into())));
    }

    pub fn drop_groups(&mut self) {
        self.step(word::DROP_GROUPS, "setgroups");
    }

    pub fn gid(&mut self, gid: u32) {
        self.step(word::GID, "setresgid");
        self.operands([decimal(gid.into())]);
    }

    pub fn uid(&mut self, uid: u32) {
        self.step(word::UID, "setresuid");
        self.operands([decimal(uid.into())]);
    }

    pub fn keep_capabilities(&mut self) {
        self.step(word::KEEP_CAPABILITIES, "prctl(PR_SET_KEEPCAPS)");
    }

    pub fn ambient_capabilities(&mut self) {
        self.step(word::AMBIENT_CAPABILITIES, "prctl(PR_CAP_AMBIENT)");
    }

    pub fn no_new_privileges(&mut self) {
        self.step(word::NO_NEW_PRIVILEGES, "prctl(PR_SET_NO_NEW_PRIVS)");
    }

    pub fn death_signal(&mut self, signal: i32) {
        self.step(word::DEATH_SIGNAL, "prctl(PR_SET_PDEATHSIG)");
        self.operands([decimal(signal as u64)]);
    }

    pub fn session(&mut self) {
        self.promises.session = true;
        self.step(word::SESSION, "setsid");
    }

    /// The descriptors from 0 on; `None` leaves one closed.
    pub fn stdio(&mut self, fds: &[Option<i32>]) {
        self.step(word::STDIO, "dup3");
        self.operands([decimal(fds.len() as u64)]);
        self.operands(fds.iter().copied().map(optional_fd));
    }

    pub fn chdir(&mut self, directory: &Path) -> Result<()> {
        self.step(word::CHDIR, "chdir").path = Some(directory.into());
        self.operand(directory)
    }

    /// Has to be last: the rest of the vector belongs to the program.
    pub fn exec(&mut self, file: CString, argv: Vec<CString>) {
        self.promises.exec = true;
        self.step(word::EXEC, "spawn");
        self.operands(std::iter::once(file).chain(argv));
    }

    pub(super) fn step(&mut self, name: &[u8], syscall: &'static str) -> &mut Label {
        self.labelled_step(name, Label::new(syscall))
    }

    #[expect(clippy::expect_used, reason = "one was just pushed")]
    fn labelled_step(&mut self, name: &[u8], label: Label) -> &mut Label {
        self.words.push(constant(name));
        self.labels.push(label);
        self.labels.last_mut().expect("one was pushed")
    }

    pub(super) fn operands(&mut self, operands: impl IntoIterator<Item = CString>) {
        self.words.extend(operands);
    }

    pub(super) fn operand(&mut self, operand: &Path) -> Result<()> {
        self.words.push(c_string(operand.as_os_str().as_encoded_bytes())?);
        Ok(())
    }
}

/// A string for the kernel, which would end at the first NUL.
pub fn c_string(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes).map_err(|_| {
        let text = String::from_utf8_lossy(bytes).replace('\0', "\\0");
        Error::InvalidArgument(format!("a string contains a NUL byte: '{text}'"))
    })
}

/// The number of a descriptor, or `-` for none.
fn optional_fd(fd: Option<i32>) -> CString {
    fd.map_or_else(|| literal("-"), |fd| decimal(fd as u64))
}

pub(super) fn decimal(value: u64) -> CString {
    literal(&value.to_string())
}

#[expect(clippy::expect_used, reason = "neither the protocol's words nor this crate's texts have a NUL")]
fn constant(word: &[u8]) -> CString {
    CString::new(word).expect("a word of the protocol has no NUL")
}

/// A text of this crate, which has no NUL.
fn literal(text: &str) -> CString {
    constant(text.as_bytes())
}
