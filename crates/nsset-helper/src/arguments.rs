//! Reads the words of a vector one by one.

use core::ffi::CStr;

use crate::syscall::{EINVAL, Errno};

/// A cursor over the vector.
pub struct Arguments {
    first: *const *const u8,
    next: *const *const u8,
}

impl Arguments {
    /// # Safety
    /// `argv` is a NULL-terminated array of NUL-terminated strings that nothing changes.
    pub unsafe fn new(argv: *const *const u8) -> Self {
        Self { first: argv, next: argv }
    }

    /// The next word, or `None` at the end.
    pub fn word(&mut self) -> Option<&'static CStr> {
        // SAFETY: `next` never passes the terminating NULL, and each entry points to a string of the kernel.
        unsafe {
            let text = *self.next;
            if text.is_null() {
                return None;
            }
            self.next = self.next.add(1);
            Some(CStr::from_ptr(text.cast()))
        }
    }

    /// An operand that must be there.
    pub fn text(&mut self) -> Result<&'static CStr, Errno> {
        self.word().ok_or(EINVAL)
    }

    pub fn number(&mut self) -> Result<usize, Errno> {
        decimal(self.text()?.to_bytes()).ok_or(EINVAL)
    }

    /// A decimal descriptor number, or `-` for none.
    pub fn optional_fd(&mut self) -> Result<Option<i32>, Errno> {
        let text = self.text()?.to_bytes();
        if text == b"-" {
            return Ok(None);
        }
        let fd = decimal(text).and_then(|number| i32::try_from(number).ok());
        fd.map(Some).ok_or(EINVAL)
    }

    /// A decimal descriptor number.
    pub fn fd(&mut self) -> Result<i32, Errno> {
        i32::try_from(self.number()?).map_err(|_| EINVAL)
    }

    /// Overwrites every word with zeros, here and in `/proc/PID/environ`. No word may be read afterwards.
    pub fn wipe(&mut self) {
        // SAFETY: the vector and its strings are this process' own and writable, and no code reads a word afterwards.
        unsafe {
            let mut place = self.first;
            while !(*place).is_null() {
                let mut byte = (*place).cast_mut();
                while *byte != 0 {
                    byte.write_volatile(0);
                    byte = byte.add(1);
                }
                place = place.add(1);
            }
            self.next = place;
        }
    }

    /// The remaining words, as a vector for execve(2).
    pub fn rest(&self) -> *const *const u8 {
        self.next
    }
}

/// The value of a string of decimal digits.
pub fn decimal(digits: &[u8]) -> Option<usize> {
    let mut value: usize = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(usize::from(digit - b'0'))?;
    }
    (!digits.is_empty()).then_some(value)
}
