//! The protocol between the helper and its parent.
//!
//! The helper's program is a list of words, each followed by its operands, and the helper executes them in order.
//! Numbers are decimal. The words are in the environment vector, which only a process that may trace the helper can
//! read: every user can read the argument vector of every process (`/proc/PID/cmdline`), and the words include mount
//! options, values of sysctls and paths. The argument vector is [`NAME`]. The environment vector has the number of the
//! program's words, the words, one empty word, and then the environment of the program that the helper executes at its
//! end. The kernel copies both vectors, so the helper needs no code that receives them and no buffer for them, and
//! `strace -fv` shows the program.
//!
//! A helper that stays in a network waits in the step [`word::RECEIVE`], and gets its next program in one packet over the
//! control socket: its words, each with its NUL. The descriptors are attached, and get the same numbers as those that are
//! passed at the start.
//!
//! The helper sends [`Message`]s over the control socket, with descriptors beside them (`SCM_RIGHTS`). The kernel adds
//! the pid of the sender (`SCM_CREDENTIALS`) as the pid namespace of the receiver numbers it, which is how the parent
//! learns the pid of a new child.

use core::ffi::CStr;

/// The only word of the argument vector.
pub const NAME: &CStr = c"nsset-helper";

/// The helper's end of the control socket, a `SOCK_SEQPACKET` pair.
pub const CONTROL_FD: i32 = 3;

/// The first descriptor that is passed to the helper; the others follow without a gap.
pub const FIRST_PASSED_FD: i32 = 4;

/// The most bytes of a program that is sent over the control socket.
pub const MAX_PROGRAM: usize = 128 * 1024;

/// The most words of such a program.
pub const MAX_STRINGS: usize = 8192;

/// The most descriptors that such a program is passed. The kernel limits them to 253 (unix(7)).
pub const MAX_PROGRAM_FDS: usize = 250;

/// The most descriptors one message carries: the eight kinds of namespace.
pub const MAX_FDS_PER_MESSAGE: usize = 8;

/// The most bytes of the kernel's words about a file system that could not be made.
pub const MAX_WORDS: usize = 512;

/// The most bytes of a file in one message.
pub const MAX_CONTENT: usize = 64 * 1024;

/// The most bytes of a file that are sent in parts.
pub const MOST_CONTENT: usize = 16 * 1024 * 1024;

/// The words of the program. The comment of each names its operands.
pub mod word {
    /// `COUNT`: keep the control socket and COUNT passed descriptors, and close all others. Always the first step.
    pub const KEEP: &[u8] = b"keep";
    /// `MILLISECONDS`: close all passed descriptors, and wait this long for another program, whose steps follow. The
    /// helper ends if none arrives.
    pub const RECEIVE: &[u8] = b"receive";
    /// No operand: set `PR_SET_DUMPABLE=0`, so that no process inside the namespaces joined next can trace the helper
    /// or read its memory.
    pub const UNDUMPABLE: &[u8] = b"undumpable";
    /// `FD`: use this descriptor as `/proc`. In the namespaces that the helper joins, the path may lead to another
    /// `/proc` or to none.
    pub const PROC: &[u8] = b"proc";
    /// No operand: open `timens_offsets` for writing, while the file still belongs to the user (proc(5)).
    pub const OPEN_OFFSETS: &[u8] = b"open-offsets";
    /// `FD FLAG`: join the namespace, and close the descriptor.
    pub const SETNS: &[u8] = b"setns";
    /// No operand: lead a process group. In it the parent finds the children of the helper that could not announce
    /// themselves.
    pub const GROUP: &[u8] = b"group";
    /// `FD GROUP PROCS`: continue in a child of the helper's parent, which is in the pid namespace that was joined.
    /// Before it runs, the kernel writes its pid to the start of the file FD; `-` for no file. The child is in the
    /// control group of the directory GROUP, whose `cgroup.procs` is PROCS; `-` and `-` for the one of the helper.
    pub const FORK: &[u8] = b"fork";
    /// `FLAGS`: make new namespaces.
    pub const UNSHARE: &[u8] = b"unshare";
    /// No operand: report that this step is reached, and wait for the parent's reply.
    pub const AWAIT: &[u8] = b"await";
    /// `UID_MAP GID_MAP SETGROUPS`: make a user namespace below the one joined, with these maps, and hold it open. `@`
    /// stands for the own id of the helper, which its parent cannot know.
    pub const NEST_USER: &[u8] = b"nest-user";
    /// No operand: join the namespace that `nest-user` made.
    pub const JOIN_NESTED_USER: &[u8] = b"join-nested-user";
    /// `FD STEPS WORDS`: start PID 1 of the new pid namespace. It runs the next STEPS steps, which are WORDS words, and
    /// then reads FD until end of file. The helper skips these words.
    pub const INIT: &[u8] = b"init";
    /// `FLAGS`: change the propagation of every mount, `MS_PRIVATE` and the like.
    pub const PROPAGATION: &[u8] = b"propagation";
    /// `DIR`: make DIR a mount point. The targets of all later mounts are resolved below it.
    pub const ROOT: &[u8] = b"root";
    /// `COUNT (KEY VALUE)*`: the same with a new tmpfs, which has these options.
    pub const ROOT_TMPFS: &[u8] = b"root-tmpfs";
    /// No operand: make the root directory read-only, after the mounts in it.
    pub const ROOT_READ_ONLY: &[u8] = b"root-read-only";
    /// `SOURCE TARGET ATTRIBUTES FLAGS`: bind SOURCE to TARGET. The flags are in [`super::flag`].
    pub const BIND: &[u8] = b"bind";
    /// `FD TARGET FLAGS`: attach this detached mount to TARGET.
    pub const BIND_TREE: &[u8] = b"bind-tree";
    /// `TYPE SOURCE TARGET ATTRIBUTES FLAGS COUNT (KEY VALUE)*`: mount a new file system; an empty VALUE is an option
    /// without a value.
    pub const MOUNT: &[u8] = b"mount";
    /// `COUNT (KEY VALUE)*`: begin an overlay file system with these options. The next steps add its layers.
    pub const OVERLAY: &[u8] = b"overlay";
    /// `DIR`: add a lower layer, below those that were added before.
    pub const OVERLAY_LOWER: &[u8] = b"overlay-lower";
    /// `DIR`: set the upper layer.
    pub const OVERLAY_UPPER: &[u8] = b"overlay-upper";
    /// `DIR`: set the directory of the kernel for changes of the upper layer.
    pub const OVERLAY_WORK: &[u8] = b"overlay-work";
    /// `TARGET FLAGS COUNT (KEY VALUE)*`: mount a tmpfs with these options on TARGET, and use directories in it for the
    /// two above.
    pub const OVERLAY_SCRATCH: &[u8] = b"overlay-scratch";
    /// `TARGET ATTRIBUTES FLAGS`: mount the overlay file system.
    pub const OVERLAY_MOUNT: &[u8] = b"overlay-mount";
    /// `TARGET FLAGS`: mount a small `/dev`, with devices of the outside.
    pub const DEVICES: &[u8] = b"devices";
    /// `FD OFFSET LENGTH TARGET MODE ATTRIBUTES FLAGS`: make TARGET a file with this part of FD. What exists there is
    /// covered by a mount, and not changed.
    pub const FILE: &[u8] = b"file";
    /// `TO TARGET`: make a symbolic link.
    pub const SYMLINK: &[u8] = b"symlink";
    /// `TARGET MODE`: make a directory, unless it exists.
    pub const DIRECTORY: &[u8] = b"directory";
    /// `TARGET`: cover a directory by an empty one, and another file by /dev/null.
    pub const MASK: &[u8] = b"mask";
    /// `REQUIRED`: mount a sysfs of the joined network over the one on /sys. If REQUIRED is 0, the helper skips the
    /// step when the kernel refuses it or when /sys is no sysfs.
    pub const SYSFS: &[u8] = b"sysfs";
    /// `REQUIRED`: continue in a copy of the mount namespace. If REQUIRED is 0 and the kernel refuses, the helper stays
    /// in the old one and skips the steps `sysfs` and `cover`.
    pub const OWN_MOUNTS: &[u8] = b"own-mounts";
    /// `REQUIRED SOURCE TARGET`: bind SOURCE over TARGET; a symbolic link is covered itself. The helper skips the step
    /// if a path is missing, and also, if REQUIRED is 0, when the kernel refuses it.
    pub const COVER: &[u8] = b"cover";
    /// No operand: make the directory of `root` the root directory and detach the old one.
    pub const PIVOT: &[u8] = b"pivot";
    /// `NAME`: set the host name.
    pub const HOSTNAME: &[u8] = b"hostname";
    /// No operand: make a pair of sockets, over which PID 1 gets the network that the helper makes after its start.
    pub const NETWORK_PAIR: &[u8] = b"network-pair";
    /// No operand: send the helper's network to PID 1.
    pub const SEND_NETWORK: &[u8] = b"send-network";
    /// No operand, a step of PID 1: wait for that network, and join it.
    pub const TAKE_NETWORK: &[u8] = b"take-network";
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
    /// `PATH`: make a unix socket for connections with this path, and send it.
    pub const UNIX_SOCKET: &[u8] = b"unix-socket";
    /// `PATH`: find the directory and send it, as a place for names (`O_PATH`).
    pub const HOLD: &[u8] = b"hold";
    /// `FD PATH`: open the file at PATH below the directory FD, and send its content.
    pub const READ_FILE: &[u8] = b"read-file";
    /// `FD PATH TEXT`: open the file at PATH below the directory FD for writing, write TEXT to it, and report that.
    pub const WRITE_FILE: &[u8] = b"write-file";
    /// No operand: if the caller's group is not mapped inside, change to group 0, if that is mapped.
    pub const MAPPED_GROUP: &[u8] = b"mapped-group";
    /// No operand: the same for the caller's user.
    pub const MAPPED_USER: &[u8] = b"mapped-user";
    /// `COUNT GID*`: set the supplementary groups.
    pub const GROUPS: &[u8] = b"groups";
    /// No operand: remove all supplementary groups, if that is allowed.
    pub const DROP_GROUPS: &[u8] = b"drop-groups";
    /// `GID`: change to this group.
    pub const GID: &[u8] = b"gid";
    /// `UID`: change to this user.
    pub const UID: &[u8] = b"uid";
    /// No operand: keep the capabilities over the `uid` step.
    pub const KEEP_CAPABILITIES: &[u8] = b"keep-capabilities";
    /// No operand: keep the capabilities over the `exec` step.
    pub const AMBIENT_CAPABILITIES: &[u8] = b"ambient-capabilities";
    /// `RESOURCE SOFT HARD`: set the limits of a resource (getrlimit(2)); `-` keeps a limit.
    pub const LIMIT: &[u8] = b"limit";
    /// `MASK`: set the file mode creation mask (umask(2)).
    pub const UMASK: &[u8] = b"umask";
    /// `NICENESS`: set the niceness, counted from -20 (setpriority(2)).
    pub const NICE: &[u8] = b"nice";
    /// `MASK REQUIRED`: have exactly these capabilities. If REQUIRED is 0, the bounding set stays as it is where the
    /// process may not change it.
    pub const CAPABILITIES: &[u8] = b"capabilities";
    /// `FILES PORTS SCOPES`: create a ruleset that restricts these rights (landlock(7)).
    pub const LANDLOCK: &[u8] = b"landlock";
    /// `RIGHTS PATH`: allow these rights below PATH.
    pub const LANDLOCK_PATH: &[u8] = b"landlock-path";
    /// `RIGHTS PORT`: allow these rights for the TCP port.
    pub const LANDLOCK_PORT: &[u8] = b"landlock-port";
    /// No operand: put the ruleset into effect.
    pub const LANDLOCK_RESTRICT: &[u8] = b"landlock-restrict";
    /// No operand: give the signals the state that a new program expects.
    pub const SIGNALS: &[u8] = b"signals";
    /// `FILE`: fail as the step `exec` would, if FILE is missing or not executable. A filter of system calls could
    /// prevent the process from reporting that later.
    pub const FIND: &[u8] = b"find";
    /// `HEX`: install this program as a filter of system calls (seccomp(2)).
    pub const SECCOMP: &[u8] = b"seccomp";
    /// No operand: no program that this process executes gains privileges.
    pub const NO_NEW_PRIVILEGES: &[u8] = b"no-new-privileges";
    /// `SIGNAL`: receive this signal when the parent's thread ends. A later change of user would undo this.
    pub const DEATH_SIGNAL: &[u8] = b"death-signal";
    /// No operand: lead a new session.
    pub const SESSION: &[u8] = b"session";
    /// `COUNT FD*`: use these as descriptors 0 to COUNT - 1 of the program; `-` leaves one closed.
    pub const STDIO: &[u8] = b"stdio";
    /// `DIR`: change the working directory.
    pub const CHDIR: &[u8] = b"chdir";
    /// `FILE ARGV*`: execute FILE. The rest of the vector is the program's own; FILE without a slash is searched for in
    /// `PATH`.
    pub const EXEC: &[u8] = b"exec";
}

/// Flags of the steps that mount.
pub mod flag {
    /// Include the mounts below the source.
    pub const RECURSIVE: usize = 1;
    /// Make the target if it is missing, on a file system that the steps have mounted for themselves.
    pub const CREATE: usize = 2;
    /// Skip the step if the source is missing.
    pub const OPTIONAL: usize = 4;
    /// No mount propagates to another mount namespace.
    pub const PRIVATE: usize = 8;
    /// Nothing outside sees what is made in the new file system.
    pub const OWN: usize = 16;
}

/// What a message reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum MessageKind {
    /// The step failed; the value is the error number. The kernel's words about it may follow the message in the same
    /// packet: at most [`MAX_WORDS`] bytes.
    Failed = 1,
    /// The step waits for a reply (one byte of any value).
    Waiting = 2,
    /// The sender is the child in which the program continues. It waits for a reply.
    Forked = 3,
    /// The sender is PID 1. It waits for a reply.
    InitForked = 4,
    /// PID 1 has run its steps.
    InitReady = 5,
    /// The namespaces that were requested are attached, in order.
    Namespaces = 6,
    /// The socket that was requested, or `/dev/net/tun`, is attached.
    Socket = 7,
    /// The content of the file, or the rest of it, follows the message in the same packet: at most [`MAX_CONTENT`]
    /// bytes.
    Content = 8,
    /// The text was written.
    Written = 9,
    /// As [`MessageKind::Content`], but more content follows in further messages.
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

/// A message from the helper. Both sides are of one build and run on one machine, so it is sent as it is in memory.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Message {
    pub kind: u32,
    /// The number of the step that sends it, counted from 0.
    pub step: u32,
    pub value: i32,
    /// The part of the step that it is about: an [`About`].
    pub about: u32,
}

/// The part of a step that a failure is about, for steps with several parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum About {
    /// The step itself, or the path that it changes.
    Target = 0,
    /// The other path, the source.
    Source = 1,
    /// Of `nest-user`: creating the namespace, and writing its three files.
    Unshare = 2,
    Setgroups = 3,
    UidMap = 4,
    GidMap = 5,
    /// Of `read-file` and `write-file`: opening the file.
    Open = 6,
    /// Of `fork`: entering the control group.
    ControlGroup = 7,
    /// Making something on a file system that others use, too.
    Foreign = 8,
}

impl About {
    /// The part with this number; the step itself for any other number.
    pub const fn from_u32(value: u32) -> Self {
        match value {
            1 => Self::Source,
            2 => Self::Unshare,
            3 => Self::Setgroups,
            4 => Self::UidMap,
            5 => Self::GidMap,
            6 => Self::Open,
            7 => Self::ControlGroup,
            8 => Self::Foreign,
            _ => Self::Target,
        }
    }
}

impl Message {
    /// The size of every message.
    pub const SIZE: usize = size_of::<Self>();
}
