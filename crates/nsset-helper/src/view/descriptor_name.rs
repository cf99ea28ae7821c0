//! The name of a descriptor in `/proc/self/fd`.

use core::ffi::CStr;

use crate::syscall::{EINVAL, Errno};

const MOST_DIGITS: usize = 10;

/// The number of a descriptor as text.
pub struct DescriptorName {
    digits: [u8; MOST_DIGITS + 1],
    first: usize,
}

impl DescriptorName {
    pub fn of(fd: i32) -> Result<Self, Errno> {
        let mut rest = fd.unsigned_abs();
        let mut name = Self { digits: [0; MOST_DIGITS + 1], first: MOST_DIGITS };
        loop {
            name.first = name.first.checked_sub(1).ok_or(EINVAL)?;
            *name.digits.get_mut(name.first).ok_or(EINVAL)? = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                return Ok(name);
            }
        }
    }

    pub fn text(&self) -> Result<&CStr, Errno> {
        CStr::from_bytes_until_nul(self.digits.get(self.first..).ok_or(EINVAL)?).map_err(|_| EINVAL)
    }
}
