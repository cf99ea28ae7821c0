//! What a failure of the helper means, and what the user can do about it.

use nix::errno::Errno;
use nsset_helper::protocol::About;

use crate::{
    error::{Error, SystemError},
    helper::borrowed_memory::LaunchError,
    helper::program::Label,
    kind::{Kind, Kinds},
    proc,
};

/// The error for a process that is stopped again and again.
pub const KEPT_STOPPED: &str = "a process that may signal what is started there keeps stopping it (SIGSTOP, ptrace(2))";

/// The error for a program with more than the kernel takes.
const TOO_LONG: &str = "the arguments and the environment are longer than the kernel takes (execve(2))";

/// Why the helper did not start.
pub fn from_launch(failure: LaunchError) -> Error {
    let LaunchError { syscall, errno } = failure;
    let error = SystemError::new(errno, syscall);
    match errno {
        Errno::E2BIG => error.hint(TOO_LONG),
        Errno::EAGAIN => error.hint("too many processes: RLIMIT_NPROC, the cgroup's pids.max or kernel.pid_max"),
        Errno::ETIMEDOUT => error.hint(KEPT_STOPPED),
        Errno::EACCES => error.hint("the system forbids to execute the helper from memory or from a temporary file"),
        _ => error,
    }
    .into()
}

/// Why a thread of this process could not make these.
pub fn from_unshare(kinds: Kinds, errno: Errno) -> Error {
    let mut each = kinds.iter();
    let mut label = Label::new("unshare");
    label.kind = each.next().filter(|_| each.next().is_none());
    from_step(label, errno, About::Unshare)
}

/// Why a step failed.
pub fn from_step(mut label: Label, errno: Errno, about: About) -> Error {
    label.syscall = match about {
        About::Target | About::Source | About::Unshare => label.syscall,
        About::Setgroups => "setgroups",
        About::UidMap => "uid_map",
        About::GidMap => "gid_map",
        About::Open => "open",
    };
    let mut error = SystemError::new(errno, label.syscall).kind(label.kind);
    error.path = if about == About::Source { label.source } else { label.path };
    let hint = match (errno, label.syscall, label.kind) {
        (_, "setgroups" | "uid_map" | "gid_map", Some(_)) => return error.hint(id_map_hint(errno)).into(),
        (Errno::EROFS, "open" | "write", Some(Kind::Time)) => Some(proc::explain_read_only()),
        (Errno::EPERM, "unshare", _) => Some(
            "making namespaces needs CAP_SYS_ADMIN; an ordinary user unshares 'user' with them, where the system allows it \
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
        (Errno::ENOMEM, "clone", Some(_)) => {
            Some("PID 1 of the pid namespace has ended: nothing can be started in it any more")
        }
        (Errno::EPERM, "mount", _) => {
            Some("the kernel lets only who owns the pid or net namespace it shows mount this file system")
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
        (Errno::EINVAL, "setgroups", None) => Some("a group is not mapped in this user namespace: add it to gidMaps"),
        (Errno::E2BIG, "spawn", _) => Some(TOO_LONG),
        (Errno::ENODEV, "mount", _) => Some("the kernel does not know this file system"),
        (Errno::EINVAL, "mount", _) => Some("the file system does not take one of these options"),
        (Errno::EINVAL, "mount bind", _) => Some(
            "a directory goes on a directory and a file on a file, and an ordinary user binds a directory with what is \
             mounted below it (recursive)",
        ),
        (Errno::ENOENT, "mount" | "mount bind", _) => Some("source and target have to exist"),
        _ => label.hint,
    };
    match hint {
        Some(hint) => error.hint(hint).into(),
        None => error.into(),
    }
}

/// What the kernel means when it refuses a map.
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
        _ => "user_namespaces(7) says what the kernel takes",
    }
}
