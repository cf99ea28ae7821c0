//! The mounts of this process: proc_pid_mountinfo(5). There is no heap, and the length of a line has no limit, so the
//! file is read in small parts, and only the fields that are needed are kept.

use crate::syscall::{self, EIO, Errno, O_RDONLY};

const PATH_MAX: usize = 4096;

/// One mount of the list.
pub struct Mount {
    pub id: u64,
    /// The id of the parent mount.
    pub parent: u64,
    /// Whether its root is the root directory of its file system.
    pub is_whole: bool,
    path: [u8; PATH_MAX],
    length: usize,
}

/// A cursor over the list.
pub struct MountInfo {
    file: i32,
    part: [u8; 1024],
    next: usize,
    end: usize,
}

impl MountInfo {
    /// Opens the list, below `/proc`.
    pub fn open(proc: i32) -> Result<Self, Errno> {
        let file = syscall::open(proc, c"self/mountinfo", O_RDONLY)?;
        Ok(Self { file, part: [0; 1024], next: 0, end: 0 })
    }

    pub fn close(self) {
        syscall::close(self.file);
    }

    /// Reads the next line; `false` at the end.
    pub fn read(&mut self, mount: &mut Mount) -> Result<bool, Errno> {
        mount.clear();
        let mut field = 0;
        let mut place = 0;
        loop {
            match self.byte()? {
                None => return Ok(false),
                Some(b'\n') => return Ok(true),
                Some(b' ') => {
                    field += 1;
                    place = 0;
                }
                Some(b'\\') if field == Mount::PATH => {
                    let escaped = self.octal()?;
                    mount.push(escaped);
                }
                Some(byte) => {
                    mount.take(field, place, byte);
                    place += 1;
                }
            }
        }
    }

    /// The three digits after a backslash.
    fn octal(&mut self) -> Result<u8, Errno> {
        let mut value = 0u8;
        for _ in 0..3 {
            let digit = self.byte()?.unwrap_or(b'0');
            value = value.wrapping_mul(8).wrapping_add(digit.wrapping_sub(b'0'));
        }
        Ok(value)
    }

    fn byte(&mut self) -> Result<Option<u8>, Errno> {
        if self.next == self.end {
            self.end = syscall::read(self.file, &mut self.part)?;
            self.next = 0;
            if self.end == 0 {
                return Ok(None);
            }
        }
        self.next += 1;
        self.part.get(self.next - 1).copied().map(Some).ok_or(EIO)
    }
}

impl Mount {
    const ID: usize = 0;
    const PARENT: usize = 1;
    const ROOT: usize = 3;
    const PATH: usize = 4;

    pub const fn new() -> Self {
        Self { id: 0, parent: 0, is_whole: false, path: [0; PATH_MAX], length: 0 }
    }

    /// Its mount point, as this process sees it. A path that is longer than `PATH_MAX` is cut off.
    pub fn path(&self) -> &[u8] {
        self.path.get(..self.length).unwrap_or(&[])
    }

    fn clear(&mut self) {
        (self.id, self.parent, self.is_whole, self.length) = (0, 0, false, 0);
    }

    fn take(&mut self, field: usize, place: usize, byte: u8) {
        match field {
            Self::ID => self.id = with_digit(self.id, byte),
            Self::PARENT => self.parent = with_digit(self.parent, byte),
            Self::ROOT => self.is_whole = place == 0 && byte == b'/',
            Self::PATH => self.push(byte),
            _ => {}
        }
    }

    fn push(&mut self, byte: u8) {
        if let Some(free) = self.path.get_mut(self.length) {
            *free = byte;
            self.length += 1;
        }
    }
}

const fn with_digit(number: u64, digit: u8) -> u64 {
    number.wrapping_mul(10).wrapping_add((digit.wrapping_sub(b'0')) as u64)
}
