//! The subordinate ids of an ordinary user: subuid(5), subgid(5), and the two programs that have the privilege to map
//! them.

use std::{
    fs::File,
    io::Read,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::PollTimeout,
    sys::signal::Signal,
    unistd::{Gid, Uid, User},
};

use crate::{
    cancel::{Cancel, TIME_LIMIT, wait_readable},
    children::pidfd,
    children::reaper,
    error::{Error, Result, SystemError, last_errno},
    file::find_file,
    helper::step_error,
    id_map::IdMap,
    kind::Kind,
};

/// Whether the ids are those of users or of groups.
#[derive(Clone, Copy, Debug)]
pub enum IdFile {
    Uid,
    Gid,
}

impl IdFile {
    const fn path(self) -> &'static str {
        match self {
            Self::Uid => "/etc/subuid",
            Self::Gid => "/etc/subgid",
        }
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Uid => "newuidmap",
            Self::Gid => "newgidmap",
        }
    }

    pub fn own_id(self) -> u32 {
        match self {
            Self::Uid => Uid::effective().as_raw(),
            Self::Gid => Gid::effective().as_raw(),
        }
    }
}

/// Enough for the ranges of hundreds of thousands of users.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Maps the first range of the caller, from 0 on.
pub fn first_range(file: IdFile) -> Result<Vec<IdMap>> {
    let uid = Uid::effective();
    let name = User::from_uid(uid).ok().flatten().map(|user| user.name);
    let path = Path::new(file.path());
    let found = find_file(path)?.ok_or_else(|| SystemError::new(Errno::ENOENT, "open").path(path))?;
    let content = String::from_utf8_lossy(&found.read(MOST_BYTES)?).into_owned();
    let range = find_range(&content, name.as_deref(), uid.as_raw());
    range.map(|map| vec![map]).ok_or_else(|| {
        let name = name.unwrap_or_else(|| uid.to_string());
        let hint = format!(
            "it has no range for {name}; `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name}` adds one"
        );
        SystemError::new(Errno::ENOENT, "open").path(file.path()).hint(hint).into()
    })
}

/// The first line `USER:START:COUNT` for the user, by name or by number.
fn find_range(content: &str, name: Option<&str>, uid: u32) -> Option<IdMap> {
    content.lines().find_map(|line| {
        let mut fields = line.split(':');
        let owner = fields.next()?;
        if Some(owner) != name && owner.parse() != Ok(uid) {
            return None;
        }
        let (host_id, size) = (fields.next()?.trim().parse().ok()?, fields.next()?.trim().parse().ok()?);
        Some(IdMap { container_id: 0, host_id, size })
    })
}

/// Writes a map with `newuidmap` or `newgidmap`.
pub fn write_map(pid: i32, file: IdFile, maps: &[IdMap], cancel: Option<&Cancel>) -> Result<()> {
    let numbers = maps.iter().flat_map(|map| [map.container_id, map.host_id, map.size]);
    let mut child = Command::new(file.program())
        .arg(pid.to_string())
        .args(numbers.map(|number| number.to_string()))
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| explain_missing(file, last_errno(&error)))?;
    let pidfd = match pidfd::open(child.id() as i32) {
        Ok(pidfd) => pidfd,
        Err(errno) => {
            let _ = child.kill().and_then(|()| child.wait());
            return Err(SystemError::new(errno, "pidfd_open").into());
        }
    };
    if let Err(error) = wait(&pidfd, file, cancel) {
        // The program may run as root, so that we may not kill it. The reaper reaps it whenever it ends.
        pidfd::kill(&pidfd, Signal::SIGKILL);
        reaper::reap(pidfd);
        return Err(error);
    }
    let status = child.wait();
    let complaint = child.stderr.take().map(|stderr| read_what_is_there(stderr.into())).unwrap_or_default();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err(explain_refusal(file, complaint.trim())),
    }
}

/// Waits for the program to end, within the time limit.
fn wait(pidfd: &OwnedFd, file: IdFile, cancel: Option<&Cancel>) -> Result<()> {
    let deadline = Instant::now() + TIME_LIMIT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if wait_readable(Some(pidfd.as_fd()), cancel, PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO))? {
            return Ok(());
        }
        if left.is_zero() {
            return Err(SystemError::new(Errno::ETIMEDOUT, file.program()).into());
        }
    }
}

/// The program reports the reason as text: either the kernel refused the map, or /etc/subuid does not contain the ids.
fn explain_refusal(file: IdFile, complaint: &str) -> Error {
    let of_kernel = [Errno::EINVAL, Errno::EROFS].into_iter().find(|errno| complaint.ends_with(errno.desc()));
    let (errno, reason) = match of_kernel {
        Some(errno) => (errno, step_error::id_map_hint(errno).to_owned()),
        None => (Errno::EPERM, format!("{} lists the ids that the user may map", file.path())),
    };
    SystemError::new(errno, file.program()).kind(Kind::User).hint(format!("{complaint}; {reason}")).into()
}

/// Reads the output so far. A process that the program has started could keep the pipe open forever.
fn read_what_is_there(pipe: OwnedFd) -> String {
    if fcntl(&pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).is_err() {
        return String::new();
    }
    let mut bytes = Vec::new();
    let _ = File::from(pipe).take(4096).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn explain_missing(file: IdFile, errno: Errno) -> Box<SystemError> {
    let error = SystemError::new(errno, file.program()).kind(Kind::User);
    match errno {
        Errno::ENOENT => error.hint(format!(
            "{} is not installed, and only it may map more than an ordinary user's own id: install the package uidmap (Debian) or shadow-utils",
            file.program()
        )),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_range_is_found_by_name_or_number() {
        let content = "other:1:2\nalice:100000:65536\nalice:300000:10\n1234:7:8\n";
        assert_eq!(find_range(content, Some("alice"), 1000).unwrap().host_id, 100_000);
        assert_eq!(find_range(content, None, 1234), Some(IdMap { container_id: 0, host_id: 7, size: 8 }));
        assert_eq!(find_range(content, Some("bob"), 1001), None);
        assert_eq!(find_range("alice:x:y\n", Some("alice"), 1), None);
    }
}
