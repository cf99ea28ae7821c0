//! The filter of system calls (seccomp(2)). It is the last step before the exec, because it may refuse what other steps
//! do.

use core::mem::MaybeUninit;

use crate::{
    arguments::Arguments,
    syscall::{self, EINVAL, Errno},
};

/// `BPF_MAXINSNS` of linux/bpf_common.h, of eight bytes each.
const MOST_INSTRUCTIONS: usize = 4096;

/// The hexadecimal digits of one instruction.
const DIGITS: usize = 16;

/// Installs the program, whose bytes are in the operand as hexadecimal digits.
#[inline(never)] // so that the room is taken from the stack only when it is needed
#[allow(clippy::large_stack_arrays)] // there is no heap
pub fn install(arguments: &mut Arguments) -> Result<(), Errno> {
    let digits = arguments.text()?.to_bytes();
    let mut program = [const { MaybeUninit::<[u8; 8]>::uninit() }; MOST_INSTRUCTIONS];
    let (instructions, rest) = digits.as_chunks::<DIGITS>();
    if instructions.len() > MOST_INSTRUCTIONS || !rest.is_empty() {
        return Err(EINVAL);
    }
    for (place, digits) in program.iter_mut().zip(instructions) {
        place.write(decode(digits).ok_or(EINVAL)?);
    }
    // SAFETY: the loop has written as many instructions.
    unsafe { syscall::install_filter(program.as_ptr().cast(), instructions.len() as u16) }.map(drop)
}

fn decode(digits: &[u8; DIGITS]) -> Option<[u8; 8]> {
    let mut bytes = [0; 8];
    let (pairs, _) = digits.as_chunks::<2>();
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(bytes)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
