//! Creates the error for a failed step of the helper, with a hint for the user.

mod mount;

use std::borrow::Cow;

use nix::errno::Errno;
use nsset_helper::protocol::About;

use crate::{
    control_group,
    error::{Error, SystemError},
    helper::program::Label,
    helper::vfork::LaunchError,
    kind::{Kind, Kinds},
    proc,
};

/// The hint for a process that is stopped repeatedly.
pub const KEPT_STOPPED: &str =
    "a process with the permission to signal the started process keeps stopping it (SIGSTOP, ptrace(2))";

/// The hint for a child that has not executed its program in time.
const NOT_EXECUTED: &str = "a process with the permission to signal the started process keeps stopping it (SIGSTOP, \
                            ptrace(2)), or a file system did not answer within 10 s";

/// The hint for a vector that is too long.
const TOO_LONG: &str = "the arguments and the environment are longer than the kernel allows (execve(2))";

const TOO_MANY_PROCESSES: &str = "too many processes: RLIMIT_NPROC, the cgroup's pids.max or kernel.pid_max";

/// The error for a helper that did not start.
pub fn from_launch(failure: LaunchError) -> Error {
    let LaunchError { syscall, errno } = failure;
    let error = SystemError::new(errno, syscall);
    match errno {
        Errno::E2BIG => error.hint(TOO_LONG),
        Errno::EAGAIN => error.hint(TOO_MANY_PROCESSES),
        Errno::ETIMEDOUT => error.hint(NOT_EXECUTED),
        Errno::EACCES => {
            error.hint("the system does not allow the helper to be executed from memory or from a temporary file")
        }
        _ => error,
    }
    .into()
}

/// The error for a thread of this process that could not make namespaces of these kinds.
pub fn from_unshare(kinds: Kinds, errno: Errno) -> Error {
    let mut each = kinds.iter();
    let mut label = Label::new("unshare");
    label.kind = each.next().filter(|_| each.next().is_none());
    from_step(label, errno, About::Unshare)
}

/// The error for a step that failed.
pub fn from_step(mut label: Label, errno: Errno, about: About) -> Error {
    label.syscall = match about {
        About::Target | About::Source | About::Unshare | About::Foreign => label.syscall,
        About::Setgroups => "setgroups",
        About::UidMap => "uid_map",
        About::GidMap => "gid_map",
        About::Open => "open",
        About::ControlGroup => "cgroup.procs",
    };
    let mut error = SystemError::new(errno, label.syscall).kind(label.kind);
    error.path = if about == About::Source { label.source } else { label.path };
    let hint = match (errno, label.syscall, label.kind) {
        _ if about == About::Foreign => Some(
            "it is missing, and only on file systems that the set has for itself (tmpfs) is something made: make it outside, \
             or mount a tmpfs above it",
        ),
        (_, "cgroup.procs", _) => control_group::hint(errno),
        (_, "setgroups" | "uid_map" | "gid_map", Some(_)) => return error.hint(id_map_hint(errno)).into(),
        (Errno::EROFS, "open" | "write", Some(Kind::Time)) => Some(proc::explain_read_only()),
        (Errno::EPERM, "unshare", _) => Some(
            "making namespaces needs CAP_SYS_ADMIN; an ordinary user has to unshare 'user' as well, if the system allows it \
             (kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, seccomp)",
        ),
        (Errno::ENOSPC, "unshare", _) => Some(
            "the limit for namespaces of this kind is reached (/proc/sys/user/max_*_namespaces), or as many user or pid \
                 namespaces are nested as the kernel allows: 33 and 32",
        ),
        (Errno::EINVAL, "unshare", _) => Some("the kernel does not know this kind of namespace"),
        (Errno::EPERM, "setns", _) => Some(
            "entering it needs CAP_SYS_ADMIN in the user namespace that owns it, which an ordinary user has where that \
             is in the set as well",
        ),
        (Errno::EINVAL, "setns", Some(Kind::User)) => Some("the process is in that user namespace already"),
        (Errno::EAGAIN, "clone", _) => Some(TOO_MANY_PROCESSES),
        (Errno::ENOMEM, "clone", Some(_)) => {
            Some("PID 1 of the pid namespace has ended: no process can be started in it")
        }
        (Errno::EPERM, "mount", _) => Some(mount::not_permitted(label.file_system.as_deref().unwrap_or_default())),
        (Errno::ENOTBLK, "mount", _) => {
            Some("the source of this file system has to be a block device, such as /dev/sda1")
        }
        (Errno::EPERM | Errno::EACCES, "socket", _) => {
            Some("raw and packet sockets need CAP_NET_RAW in the user namespace that owns the network namespace")
        }
        (Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT | Errno::EINVAL | Errno::ESOCKTNOSUPPORT, "socket", _) => {
            Some("the kernel has no socket of this domain, type and protocol (socket(2))")
        }
        (Errno::EINVAL, "setresuid" | "setresgid", None) => Some(
            "the id is not mapped in this user namespace: add it to uidMaps or gidMaps, or make the caller that user inside \
             (mapUser: 1000, with keepCapabilities for what it may do)",
        ),
        (Errno::EPERM, "setresuid" | "setresgid", None) => {
            Some("another user or group needs CAP_SETUID and CAP_SETGID in the user namespace of the set")
        }
        (Errno::EPERM, "setgroups", None) => Some(
            "setting groups needs CAP_SETGID in the user namespace of the set, and that setgroups is not denied there \
             (user_namespaces(7))",
        ),
        (Errno::EPERM, syscall, _) if syscall.starts_with("prlimit(") => Some(
            "a hard limit can be raised only with CAP_SYS_RESOURCE in the first user namespace, and openFiles to fs.nr_open \
             at most (getrlimit(2))",
        ),
        (Errno::EINVAL, syscall, _) if syscall.starts_with("prlimit(") => {
            Some("the soft limit may not be above the hard one, which is the caller's if none is given (getrlimit(2))")
        }
        (Errno::EINVAL, "setgroups", None) => Some("a group is not mapped in this user namespace: add it to gidMaps"),
        (Errno::EAGAIN, "spawn", _) => {
            Some("the user of the program has more processes than RLIMIT_NPROC (limits.processes) allows")
        }
        (Errno::E2BIG, "spawn", _) => Some(TOO_LONG),
        (Errno::ENODEV, "mount", _) => Some("the kernel does not know this file system"),
        (Errno::EINVAL, "mount", _) => {
            Some("the file system does not accept one of these options, or the target is not a directory")
        }
        (Errno::EINVAL, "mount bind", _) => Some(
            "a directory goes on a directory and a file on a file, and an ordinary user can bind a directory only with the \
             mounts below it (recursive)",
        ),
        (Errno::ENOENT, "mount" | "mount bind" | "mount dev" | "mount file", _) => {
            Some("source and target have to exist")
        }
        (Errno::ENOENT, "mount overlay", _) => Some("every layer has to exist"),
        (Errno::EINVAL, "mount overlay", _) => Some(
            "the kernel refuses the layers: upper and work have to be different directories of one file system that keeps \
             extended attributes and is itself no overlay, and no layer may be in another",
        ),
        (Errno::ELOOP, "mount overlay", _) => Some("one of the layers is in another, or is used by another mount"),
        (Errno::EINVAL, "mount file", _) => {
            Some("a file goes on a file; before Linux 6.15, it needs the propagation 'private' or 'slave'")
        }
        (Errno::EEXIST, "symlink", _) => Some("the name is taken, and a mount cannot cover it by a symbolic link"),
        (Errno::E2BIG, "mount" | "mount dev" | "mount overlay", _) => {
            Some("there are too many file systems, or layers")
        }
        _ => None,
    };
    match hint.map(Cow::Borrowed).or(label.hint) {
        Some(hint) => error.hint(hint).into(),
        None => error.into(),
    }
}

/// The error with what the kernel says about it: `e tmpfs: Unknown parameter 'siz'` (fsopen(2)). Any process with the
/// socket of the helper could send it: it is no more than a text.
pub fn with_words(error: Error, words: &[u8]) -> Error {
    let text = String::from_utf8_lossy(words.strip_prefix(b"e ").unwrap_or(words));
    let text: String = text.trim().chars().filter(|letter| !letter.is_control()).collect();
    match error {
        Error::System(mut error) if !text.is_empty() => {
            let hint = error.hint.take().map_or(String::new(), |hint| format!("; {hint}"));
            error.hint(format!("the kernel says \"{text}\"{hint}")).into()
        }
        error => error,
    }
}

/// The hint for an id map that the kernel refuses.
pub fn id_map_hint(errno: Errno) -> &'static str {
    match errno {
        Errno::EINVAL => {
            "the kernel refuses maps that overlap, pass 4294967295, are empty, or are more than 340 or longer than 4 KiB as text"
        }
        Errno::EPERM => {
            "an ordinary user maps its own id only, its own group only with setgroups 'deny', and more with ranges in \
             /etc/subuid and /etc/subgid; and an id must exist in the user namespace above"
        }
        Errno::EROFS => proc::explain_read_only(),
        _ => "user_namespaces(7) describes the maps that the kernel accepts",
    }
}
