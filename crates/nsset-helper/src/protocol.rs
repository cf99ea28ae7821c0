//! What the helper and its parent agree on.
//!
//! The helper's program is words, each followed by its operands, executed in order. Numbers are decimal. They travel in the
//! environment vector, which only a process that may trace the helper can read: every user reads the argument vector of
//! every process (`/proc/PID/cmdline`), and among the words are mount options, values of sysctls and paths. The argument
//! vector is [`NAME`]. The environment vector has the number of the program's words, these, one empty word, and then the
//! environment of what is executed in the end. The kernel copies both vectors, so there is nothing to read and no buffer to
//! size, and `strace -fv` shows it all.
//!
//! What the helper has to say it says in [`Message`]s over the control socket; descriptors travel beside them. The kernel
//! adds the pid of the sender (`SCM_CREDENTIALS`), in the numbers of the receiver: so a newborn names itself.

use core::ffi::CStr;

/// The only word of the argument vector.
pub const NAME: &CStr = c"nsset-helper";

/// The helper's end of the control socket, a `SOCK_SEQPACKET` pair.
pub const CONTROL_FD: i32 = 3;

/// The first of the descriptors handed to the helper; the others follow without a gap.
pub const FIRST_PASSED_FD: i32 = 4;

/// The most descriptors one message carries: the eight kinds of namespace.
pub const MAX_FDS_PER_MESSAGE: usize = 8;

/// The most bytes of a file in one message.
pub const MAX_CONTENT: usize = 64 * 1024;

/// The most bytes of a file that are sent in parts.
pub const MOST_CONTENT: usize = 16 * 1024 * 1024;

/// The words of the program. The comment of each names its operands.
pub mod word {
    /// `COUNT`: keep the control socket and COUNT passed descriptors, close every other. Always first.
    pub const KEEP: &[u8] = b"keep";
    /// No operand: `PR_SET_DUMPABLE=0`, so that no process inside the namespaces joined next can trace or read the helper.
    pub const UNDUMPABLE: &[u8] = b"undumpable";
    /// `FD`: this is `/proc`, which may be out of sight, or another, where the helper is.
    pub const PROC: &[u8] = b"proc";
    /// No operand: open `timens_offsets` for writing, while the file still belongs to the user (see proc(5)).
    pub const OPEN_OFFSETS: &[u8] = b"open-offsets";
    /// `FD FLAG`: join the namespace, close the descriptor.
    pub const SETNS: &[u8] = b"setns";
    /// No operand: lead a process group. The parent finds there who was born of the helper and could not say so.
    pub const GROUP: &[u8] = b"group";
    /// `FD`: go on in a child of the helper's parent, which a joined pid namespace then holds. The kernel writes its pid to the
    /// start of this file before it runs; `-` for none.
    pub const FORK: &[u8] = b"fork";
    /// `FLAGS`: make new namespaces.
    pub const UNSHARE: &[u8] = b"unshare";
    /// No operand: say that this point is reached, and wait for the parent's word.
    pub const AWAIT: &[u8] = b"await";
    /// `UID_MAP GID_MAP SETGROUPS`: make a user namespace below the one joined, with these maps, and hold it. An `@`
    /// stands for the helper's own id, which its parent cannot know.
    pub const NEST_USER: &[u8] = b"nest-user";
    /// No operand: join the namespace that `nest-user` made.
    pub const JOIN_NESTED_USER: &[u8] = b"join-nested-user";
    /// `FD STEPS WORDS`: start PID 1 of the new pid namespace. It runs the next STEPS steps, WORDS words that the helper skips, and then
    /// reads FD until end of file.
    pub const INIT: &[u8] = b"init";
    /// `FLAGS`: change the propagation of every mount, `MS_PRIVATE` and the like.
    pub const PROPAGATION: &[u8] = b"propagation";
    /// `DIR`: make DIR a mount of its own; targets of mounts are resolved beneath it from here on.
    pub const ROOT: &[u8] = b"root";
    /// `SOURCE TARGET ATTRIBUTES RECURSIVE`: bind SOURCE to TARGET.
    pub const BIND: &[u8] = b"bind";
    /// `TYPE SOURCE TARGET ATTRIBUTES COUNT (KEY VALUE)*`: mount a new file system; an empty VALUE is a flag.
    pub const MOUNT: &[u8] = b"mount";
    /// `REQUIRED`: mount a sysfs of the network that is joined over the one on /sys. Where REQUIRED is 0, what the kernel
    /// refuses is left out, and so is a /sys that is no sysfs.
    pub const SYSFS: &[u8] = b"sysfs";
    /// `REQUIRED`: go on in a copy of the mount namespace. Where REQUIRED is 0 and the kernel refuses, stay, and pass over
    /// `sysfs` and `cover`.
    pub const OWN_MOUNTS: &[u8] = b"own-mounts";
    /// `REQUIRED SOURCE TARGET`: bind SOURCE over TARGET, a symbolic link itself included. What is missing is left out;
    /// where REQUIRED is 0, what the kernel refuses, too.
    pub const COVER: &[u8] = b"cover";
    /// No operand: make the directory of `root` the root directory and detach the old one.
    pub const PIVOT: &[u8] = b"pivot";
    /// `NAME`: set the host name.
    pub const HOSTNAME: &[u8] = b"hostname";
    /// No operand: bring `lo` up.
    pub const LOOPBACK: &[u8] = b"loopback";
    /// `TEXT`: write TEXT to the file that `open-offsets` opened.
    pub const OFFSETS: &[u8] = b"offsets";
    /// `COUNT NAME*`: open these files of `/proc/self/ns` and send them in one message.
    pub const NAMESPACES: &[u8] = b"namespaces";
    /// `DOMAIN TYPE PROTOCOL`: make a socket and send it.
    pub const SOCKET: &[u8] = b"socket";
    /// No operand: open `/dev/net/tun` and send it.
    pub const TUN: &[u8] = b"tun";
    /// `FD PATH`: open the file at PATH below the directory FD, and send what one read returns.
    pub const READ_FILE: &[u8] = b"read-file";
    /// `FD PATH TEXT`: open the same for writing, write TEXT to it, and say so.
    pub const WRITE_FILE: &[u8] = b"write-file";
    /// No operand: where the caller's group has no name inside, become 0, if there is one.
    pub const MAPPED_GROUP: &[u8] = b"mapped-group";
    /// No operand: the same for the caller's user.
    pub const MAPPED_USER: &[u8] = b"mapped-user";
    /// `COUNT GID*`: these become the supplementary groups.
    pub const GROUPS: &[u8] = b"groups";
    /// No operand: have no supplementary groups, where that is allowed.
    pub const DROP_GROUPS: &[u8] = b"drop-groups";
    /// `GID`: become this group.
    pub const GID: &[u8] = b"gid";
    /// `UID`: become this user.
    pub const UID: &[u8] = b"uid";
    /// No operand: let the capabilities outlive the `uid` to come.
    pub const KEEP_CAPABILITIES: &[u8] = b"keep-capabilities";
    /// No operand: let the capabilities outlive the `exec` to come.
    pub const AMBIENT_CAPABILITIES: &[u8] = b"ambient-capabilities";
    /// No operand: nothing that is exec'd gains privileges any more.
    pub const NO_NEW_PRIVILEGES: &[u8] = b"no-new-privileges";
    /// `SIGNAL`: get this signal when the parent's thread ends. Changes of user would undo it.
    pub const DEATH_SIGNAL: &[u8] = b"death-signal";
    /// No operand: lead a session of its own.
    pub const SESSION: &[u8] = b"session";
    /// `COUNT FD*`: these become descriptors 0 to COUNT - 1 of the program; `-` leaves one closed.
    pub const STDIO: &[u8] = b"stdio";
    /// `DIR`: change the working directory.
    pub const CHDIR: &[u8] = b"chdir";
    /// `FILE ARGV*`: the rest of the vector is the program's own; FILE without a slash is looked for along `PATH`.
    pub const EXEC: &[u8] = b"exec";
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum MessageKind {
    /// The step failed; the value is the error number.
    Failed = 1,
    /// The step waits for a word (one byte, whatever it is).
    Waiting = 2,
    /// The program goes on in this child, which waits for a word.
    Forked = 3,
    /// This is PID 1, which waits for a word.
    InitForked = 4,
    /// PID 1 has done its steps.
    InitReady = 5,
    /// The namespaces that were asked for come with the message, in order.
    Namespaces = 6,
    /// The socket that was asked for, or `/dev/net/tun`, comes with the message.
    Socket = 7,
    /// What the file holds, or the rest of it, follows the message, in the same packet; no more than [`MAX_CONTENT`] of it.
    Content = 8,
    /// The text is written.
    Written = 9,
    /// The same as of [`MessageKind::Content`], and there is more to come.
    ContentPart = 10,
}

impl MessageKind {
    /// The kind with this number, if there is one.
    pub const fn from_u32(value: u32) -> Option<Self> {
        match value {
            1 => Some(Self::Failed),
            2 => Some(Self::Waiting),
            3 => Some(Self::Forked),
            4 => Some(Self::InitForked),
            5 => Some(Self::InitReady),
            6 => Some(Self::Namespaces),
            7 => Some(Self::Socket),
            8 => Some(Self::Content),
            9 => Some(Self::Written),
            10 => Some(Self::ContentPart),
            _ => None,
        }
    }
}

/// A message from the helper. Both ends are of one build and one machine, so it travels as it lies in memory.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Message {
    pub kind: u32,
    /// Which step of the program speaks, counted from 0.
    pub step: u32,
    pub value: i32,
    /// Which part of the step it is about: an [`About`].
    pub about: u32,
}

/// The part of a step that a failure is about, where a step has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum About {
    /// The step itself, or the path it is done to.
    Target = 0,
    /// The other path, where the thing comes from.
    Source = 1,
    /// Of `nest-user`: the making of the namespace, and its three files.
    Unshare = 2,
    Setgroups = 3,
    UidMap = 4,
    GidMap = 5,
    /// Of `read-file` and `write-file`: the opening.
    Open = 6,
}

impl About {
    /// The part with this number; the step itself for all others.
    pub const fn from_u32(value: u32) -> Self {
        match value {
            1 => Self::Source,
            2 => Self::Unshare,
            3 => Self::Setgroups,
            4 => Self::UidMap,
            5 => Self::GidMap,
            6 => Self::Open,
            _ => Self::Target,
        }
    }
}

impl Message {
    /// The size of every message.
    pub const SIZE: usize = size_of::<Self>();
}
