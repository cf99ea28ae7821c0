//! The namespaces that are mounted in the mount namespace of a process: proc_pid_mountinfo(5).

use std::{collections::HashMap, ffi::CString, os::fd::BorrowedFd};

use nix::errno::Errno;

use crate::{discovery::entries, kind::Kind, namespaces::ns_link};

/// A namespace that is mounted.
pub(in crate::discovery) struct Mounted {
    pub kind: Kind,
    pub inode: u64,
    pub path: CString,
}

/// What is mounted in mount namespaces, by their inode numbers, each with a process in it.
pub(in crate::discovery) type Table = HashMap<u64, (i32, Vec<Mounted>)>;

/// Reads the mounts of one process after the other.
#[derive(Default)]
pub(in crate::discovery) struct Reader {
    text: Vec<u8>,
    /// Whether a namespace was mounted in the last mount namespace: many are copies of each other.
    found_some: bool,
}

impl Reader {
    /// Reads the mounts of a process, whose directory this is. `ENOENT` if it sees none, because its root directory is not below
    /// any: another process in the mount namespace may see them.
    pub fn read(&mut self, process: BorrowedFd<'_>) -> Result<Vec<Mounted>, Errno> {
        let has_none = !self.found_some && self.has_none(process);
        if !has_none {
            entries::read_whole(process, c"mountinfo", &mut self.text)?;
        }
        if self.text.is_empty() {
            return Err(Errno::ENOENT);
        }
        if has_none {
            return Ok(Vec::new());
        }
        let mounted: Vec<_> = self.text.split(|byte| *byte == b'\n').filter_map(parse).collect();
        self.found_some = !mounted.is_empty();
        Ok(mounted)
    }

    /// Whether no namespace is mounted. `mountstats` does not say which one is, but the kernel writes it in about half the
    /// time. Only the user of the process may read it.
    fn has_none(&mut self, process: BorrowedFd<'_>) -> bool {
        entries::read_whole(process, c"mountstats", &mut self.text).is_ok()
            && !self.text.split(|byte| *byte == b'\n').any(|line| line.ends_with(b" with fstype nsfs"))
    }
}

/// Reads a line of proc_pid_mountinfo(5). Only for namespaces the root of the mount does not begin with a slash.
fn parse(line: &[u8]) -> Option<Mounted> {
    let mut fields = line.split(|byte| *byte == b' ').skip(3);
    let (kind, inode) = fields.next().filter(|root| !root.starts_with(b"/")).and_then(ns_link::parse)?;
    Some(Mounted { kind, inode, path: unescape(fields.next()?)? })
}

/// Spaces and line breaks are written as `\040` and `\012`.
fn unescape(text: &[u8]) -> Option<CString> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let (byte, others) = match after {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', others @ ..] if *first == b'\\' => {
                ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), others)
            }
            _ => (*first, after),
        };
        bytes.push(byte);
        rest = others;
    }
    CString::new(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mounted_namespace_is_read_with_the_spaces_of_its_path() {
        let line = br"59 21 0:4 net:[4026532177] /run/netns/two\040words rw shared:5 - nsfs nsfs rw";
        let Mounted { kind, inode, path } = parse(line).unwrap();
        assert_eq!((kind, inode, path.as_bytes()), (Kind::Net, 4_026_532_177, &b"/run/netns/two words"[..]));
    }

    #[test]
    fn other_mounts_are_left_out() {
        assert!(parse(b"21 1 254:0 / / rw,relatime - ext4 /dev/root rw").is_none());
        assert!(parse(b"").is_none());
    }
}
