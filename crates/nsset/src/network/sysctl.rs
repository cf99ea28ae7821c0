//! The kernel parameters of the network of a set: the files below `/proc/sys/net`. They show each process the network
//! that it is in, and the kernel checks the process at each read and write (proc_sys_call_handler() of
//! fs/proc/proc_sysctl.c).

use std::{
    fs::File,
    io::Write,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use nix::{errno::Errno, fcntl::OFlag};
use nsset_helper::protocol::{About, MAX_CONTENT};

use crate::{
    error::{Error, Result, SystemError, last_errno},
    helper::network_entry,
    helper::program::{Label, Program},
    helper::step_error,
    kind::{Kind, Kinds},
    namespaces::set::NamespaceSet,
    proc,
    retry::uninterrupted,
};

/// The longest value in bytes. With its newline it has to be shorter than a page, because the kernel cuts off longer
/// values (do_proc_dointvec() of kernel/sysctl.c).
const MAX_VALUE: usize = 4094;

/// Enough for the value of almost all sysctls.
const USUAL_CONTENT: usize = 4096;

/// Returns the value of a sysctl of the network namespace of the set, as the kernel writes it but without the newline
/// at its end. Several numbers are separated by tabs.
///
/// Names are those of sysctl(8) and begin with `net`: `net.ipv4.ip_forward`, or with slashes if a part contains a dot:
/// `net/ipv4/conf/eth0.100/forwarding`. The first separator decides; in a name with dots, a slash stands for a dot in a
/// part. The name of a link may also be given with its dots: `net.ipv4.conf.eth0.100.forwarding`. Of these kinds of the
/// set only `user` matters beside `net`, and the way in is that of [`open_socket`](crate::open_socket()).
///
/// ```no_run
/// # fn main() -> nsset::Result<()> {
/// use nsset::{Kinds, sysctl};
///
/// let set = nsset::current(None)?;
/// let range = sysctl::get(&set, Kinds::ALL, "net.ipv4.ip_local_port_range")?; // "32768\t60999"
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::InvalidArgument`] for an invalid name; [`Error::System`] with `ENOENT` if the network has no such sysctl,
/// `EISDIR` if it is a directory of sysctls, `EACCES` if only the owner of the network may read it, `EOVERFLOW` if the
/// value has 64 KiB or more; [`Error::NotInSet`], [`Error::Restore`] and [`Error::Tainted`] as for a socket.
pub fn get(set: &NamespaceSet, kinds: Kinds, name: &str) -> Result<String> {
    set.get(Kind::Net)?;
    let sysctl = Sysctl::parse(name)?;
    let content = sysctl.read_inside(set, kinds).map_err(|error| sysctl.explain(error))?;
    if content.len() >= MAX_CONTENT {
        let error = SystemError::new(Errno::EOVERFLOW, "read").kind(Kind::Net).path(sysctl.path());
        return Err(error.hint("the value has 64 KiB or more").into());
    }
    let text = String::from_utf8_lossy(&content);
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

/// Sets a sysctl of the network namespace of the set, for all processes in it. An empty value empties a list, such as
/// `net.ipv4.ip_local_reserved_ports`.
///
/// ```no_run
/// # fn main() -> nsset::Result<()> {
/// use nsset::{Kind, Kinds, UnshareOptions, sysctl, unshare};
///
/// let set = unshare(None, Kinds::NONE.with(Kind::Net), &UnshareOptions::default(), None)?;
/// sysctl::set(&set, Kinds::ALL, "net.ipv4.ip_forward", "1")?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`get`], and [`Error::InvalidArgument`] for a value that contains a NUL byte or a newline before its end, or has
/// more than 4094 bytes; [`Error::System`] with `EINVAL` if the kernel does not accept the value, `EACCES` if the
/// sysctl is read-only or the caller may not administer the network, `EROFS` if `/proc` or `/proc/sys` is mounted
/// read-only.
pub fn set(set: &NamespaceSet, kinds: Kinds, name: &str, value: &str) -> Result<()> {
    set.get(Kind::Net)?;
    let sysctl = Sysctl::parse(name)?;
    // With a newline, as echo(1) writes it: the kernel would treat an empty write as no write at all.
    let line = format!("{}\n", check_value(value)?);
    sysctl.write_inside(set, kinds, &line).map_err(|error| sysctl.explain(error))
}

/// A path below `/proc` that begins with `sys/net/`.
#[derive(Debug)]
struct Sysctl(String);

impl Sysctl {
    fn parse(name: &str) -> Result<Self> {
        let refuse = |why: &str| Err(Error::InvalidArgument(format!("{why}: '{}'", name.replace('\0', "\\0"))));
        let path: String = match name.chars().find(|letter| matches!(letter, '.' | '/')) {
            Some('.') => with_dots_in_links(&name.chars().map(swap_separators).collect::<String>()),
            _ => name.to_owned(),
        };
        let mut parts = path.split('/');
        if parts.clone().any(str::is_empty) {
            return refuse("a part of the sysctl's name is empty");
        }
        if parts.clone().any(|part| part == "." || part == "..") {
            return refuse("a part of the sysctl's name is . or ..");
        }
        if name.contains('\0') {
            return refuse("the sysctl's name contains a NUL byte");
        }
        if parts.next() != Some("net") {
            return refuse("the sysctl does not belong to a network: its name does not begin with net");
        }
        Ok(Self(format!("sys/{path}")))
    }

    fn path(&self) -> PathBuf {
        Path::new("/proc").join(&self.0)
    }

    fn read_inside(&self, set: &NamespaceSet, kinds: Kinds) -> Result<Vec<u8>> {
        if let Some(visit) = network_entry::visit(set, kinds)? {
            return visit.leave_with(self.read());
        }
        let proc = proc::hold()?;
        let step = |program: &mut Program<'_>| program.read_file(proc, Path::new(&self.0), self.label("read"));
        network_entry::run(set, kinds, step)?.content.ok_or_else(|| SystemError::new(Errno::EPROTO, "recvmsg").into())
    }

    fn write_inside(&self, set: &NamespaceSet, kinds: Kinds, line: &str) -> Result<()> {
        if let Some(visit) = network_entry::visit(set, kinds)? {
            return visit.leave_with(self.write(line));
        }
        let proc = proc::hold()?;
        let step = |program: &mut Program<'_>| program.write_file(proc, Path::new(&self.0), line, self.label("write"));
        network_entry::run(set, kinds, step).map(drop)
    }

    /// Reads it in the network of the thread. Some values can be read only by one read from their beginning
    /// (proc_do_large_bitmap() of kernel/sysctl.c), so if the buffer is too small, a larger one is used for another
    /// read.
    fn read(&self) -> Result<Vec<u8>> {
        let file = self.open(OFlag::O_RDONLY)?;
        let mut content = vec![0; USUAL_CONTENT];
        loop {
            let length = uninterrupted(|| file.read_at(&mut content, 0).map_err(|error| last_errno(&error)));
            let length = length.map_err(|errno| self.failed("read", errno))?;
            if length < content.len() || length == MAX_CONTENT {
                content.truncate(length);
                return Ok(content);
            }
            content.resize(MAX_CONTENT, 0);
        }
    }

    /// Writes it in the network of the thread by one write(2), because the kernel takes each write as a whole value.
    fn write(&self, line: &str) -> Result<()> {
        let mut file = self.open(OFlag::O_WRONLY)?;
        match uninterrupted(|| file.write(line.as_bytes()).map_err(|error| last_errno(&error))) {
            Ok(count) if count == line.len() => Ok(()),
            Ok(_) => Err(self.failed("write", Errno::EIO)),
            Err(errno) => Err(self.failed("write", errno)),
        }
    }

    /// Opens it below the `/proc` of the process, since the thread may see another one, or none.
    fn open(&self, flags: OFlag) -> Result<File> {
        proc::hold()?;
        proc::open_below(&self.0, flags).map(File::from).map_err(|errno| self.failed("open", errno))
    }

    fn failed(&self, syscall: &'static str, errno: Errno) -> Error {
        step_error::from_step(self.label(syscall), errno, About::Target)
    }

    fn label(&self, syscall: &'static str) -> Label {
        Label { kind: Some(Kind::Net), path: Some(self.path()), ..Label::new(syscall) }
    }

    /// Adds a hint to an error at the sysctl itself, for both ways in.
    fn explain(&self, error: Error) -> Error {
        match error {
            Error::System(system) if system.path == Some(self.path()) => match hint(system.errno) {
                Some(hint) => system.hint(hint).into(),
                None => Error::System(system),
            },
            other => other,
        }
    }
}

/// sysctl(8) separates the parts by dots and has slashes in them; the file system does the reverse.
fn swap_separators(letter: char) -> char {
    match letter {
        '.' => '/',
        '/' => '.',
        other => other,
    }
}

/// Joins the parts of a link name with dots. The number of the other parts is the same for every link, so the parts of
/// the name are known.
fn with_dots_in_links(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [net, family, group @ ("conf" | "neigh"), link @ .., last] if link.len() > 1 => {
            [net, family, group, link.join(".").as_str(), last].join("/")
        }
        _ => path.to_owned(),
    }
}

fn check_value(value: &str) -> Result<&str> {
    let value = value.strip_suffix('\n').unwrap_or(value);
    let refuse = |why: String| Err(Error::InvalidArgument(format!("the sysctl's value {why}")));
    if value.contains('\n') {
        return refuse(format!("contains a newline: {value:?}"));
    }
    if value.contains('\0') {
        return refuse(format!("contains a NUL byte: {value:?}"));
    }
    if value.len() > MAX_VALUE {
        return refuse(format!("has {} bytes, more than {MAX_VALUE}", value.len()));
    }
    Ok(value)
}

fn hint(errno: Errno) -> Option<&'static str> {
    match errno {
        Errno::ENOENT => Some(
            "the network has no such sysctl: its link or the kernel's module may be missing, or only the host's first \
             network has it (`sysctl net` inside lists all)",
        ),
        Errno::ENOTDIR => Some("what comes before its last part is a sysctl itself"),
        Errno::EISDIR => Some("it is a directory of sysctls; name one of them"),
        Errno::EROFS => Some(proc::explain_read_only()),
        Errno::EACCES | Errno::EPERM => Some(
            "it takes CAP_NET_ADMIN in the user namespace that owns the network, and some sysctls can only be read, or \
             only be written",
        ),
        Errno::EINVAL | Errno::ERANGE => Some("the kernel does not take this value"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_separator_of_a_name_decides() {
        for (name, path) in [
            ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"),
            ("net/ipv4/ip_forward", "/proc/sys/net/ipv4/ip_forward"),
            ("net/ipv4/conf/eth0.100/forwarding", "/proc/sys/net/ipv4/conf/eth0.100/forwarding"),
            ("net.ipv4.conf.eth0/100.forwarding", "/proc/sys/net/ipv4/conf/eth0.100/forwarding"),
            ("net.ipv4.conf.eth0.100.forwarding", "/proc/sys/net/ipv4/conf/eth0.100/forwarding"),
            ("net.ipv6.neigh.a/b.c.d.gc_stale_time", "/proc/sys/net/ipv6/neigh/a.b.c.d/gc_stale_time"),
            ("net/ipv4/conf/eth0/100/forwarding", "/proc/sys/net/ipv4/conf/eth0/100/forwarding"),
            ("net.ipv4.conf.eth0", "/proc/sys/net/ipv4/conf/eth0"),
            ("net.netfilter.nf_log.2", "/proc/sys/net/netfilter/nf_log/2"),
            ("net", "/proc/sys/net"),
        ] {
            assert_eq!(Sysctl::parse(name).unwrap().path(), Path::new(path), "{name}");
        }
    }

    #[test]
    fn a_name_that_is_not_a_sysctl_of_a_network_is_refused() {
        for (name, why) in [
            ("", "empty"),
            ("net.", "empty"),
            ("net..core", "empty"),
            ("/net/core", "empty"),
            ("net/../kernel/hostname", ". or .."),
            ("net.//.kernel.hostname", ". or .."),
            ("net/./core", ". or .."),
            ("net.ipv4.\0", "NUL"),
            ("kernel.hostname", "does not begin with net"),
            ("network.core", "does not begin with net"),
            ("proc/sys/net/core", "does not begin with net"),
        ] {
            let error = Sysctl::parse(name).map(|sysctl| sysctl.path());
            match error {
                Err(Error::InvalidArgument(text)) => assert!(text.contains(why), "{text}"),
                other => panic!("{name:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_value_is_one_line_of_less_than_a_page() {
        assert_eq!(check_value("1\n").unwrap(), "1");
        assert_eq!(check_value("").unwrap(), "");
        assert!(check_value(&"1".repeat(MAX_VALUE)).is_ok());
        for (value, why) in
            [("1\n2", "newline"), ("1\n\n", "newline"), ("\0", "NUL"), (&"1".repeat(MAX_VALUE + 1), "4095")]
        {
            assert!(check_value(value).unwrap_err().to_string().contains(why));
        }
    }
}
