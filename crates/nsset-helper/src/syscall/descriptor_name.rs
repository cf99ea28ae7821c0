//! The name of a descriptor below `/proc`.

use core::ffi::CStr;

use super::errno::{EINVAL, Errno};

const DIRECTORY: &[u8] = b"self/fd/";
const MOST_DIGITS: usize = 10;
const LENGTH: usize = DIRECTORY.len() + MOST_DIGITS;

/// The number of a descriptor as text, and its path below `/proc`.
pub struct DescriptorName {
    /// The path, which ends before the last byte.
    bytes: [u8; LENGTH + 1],
    /// Where the number begins.
    first: usize,
}

impl DescriptorName {
    pub fn of(fd: i32) -> Result<Self, Errno> {
        let mut rest = fd.unsigned_abs();
        let mut name = Self { bytes: [0; LENGTH + 1], first: LENGTH };
        while name.first == LENGTH || rest > 0 {
            name.first -= 1;
            *name.bytes.get_mut(name.first).ok_or(EINVAL)? = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let directory = name.bytes.get_mut(name.first - DIRECTORY.len()..name.first).ok_or(EINVAL)?;
        directory.copy_from_slice(DIRECTORY);
        Ok(name)
    }

    pub fn text(&self) -> Result<&CStr, Errno> {
        self.from(self.first)
    }

    pub fn path(&self) -> Result<&CStr, Errno> {
        self.from(self.first - DIRECTORY.len())
    }

    fn from(&self, begin: usize) -> Result<&CStr, Errno> {
        CStr::from_bytes_until_nul(self.bytes.get(begin..).ok_or(EINVAL)?).map_err(|_| EINVAL)
    }
}
