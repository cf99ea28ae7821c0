//! An instruction of classic BPF, `struct sock_filter`.

use crate::error::{Error, Result};

/// `BPF_MAXINSNS` of linux/bpf_common.h
pub const MOST_INSTRUCTIONS: usize = 4096;

/// The bytes of an instruction.
const SIZE: usize = 8;

/// An instruction. The layout is that of the kernel.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    pub code: u16,
    pub jump_true: u8,
    pub jump_false: u8,
    pub value: u32,
}

impl Instruction {
    pub const fn new(code: u16, value: u32) -> Self {
        Self { code, jump_true: 0, jump_false: 0, value }
    }
}

/// Reads a program: instructions in the byte order of the machine, as the kernel takes them.
///
/// # Errors
/// [`Error::Program`] if it is empty, too long, or has a part of an instruction. The kernel checks the rest.
pub fn read(bytes: &[u8]) -> Result<Vec<Instruction>> {
    let (chunks, rest) = bytes.as_chunks::<SIZE>();
    if !rest.is_empty() {
        return Err(Error::Program(format!(
            "a BPF program has {SIZE} bytes for each instruction, not {}",
            bytes.len()
        )));
    }
    if chunks.is_empty() || chunks.len() > MOST_INSTRUCTIONS {
        let count = chunks.len();
        return Err(Error::Program(format!("a BPF program has 1 to {MOST_INSTRUCTIONS} instructions, not {count}")));
    }
    Ok(chunks.iter().map(|chunk| instruction(*chunk)).collect())
}

fn instruction(bytes: [u8; SIZE]) -> Instruction {
    let [low, high, jump_true, jump_false, value @ ..] = bytes;
    Instruction { code: u16::from_ne_bytes([low, high]), jump_true, jump_false, value: u32::from_ne_bytes(value) }
}
