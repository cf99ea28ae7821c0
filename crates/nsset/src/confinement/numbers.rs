//! The part of a filter that compares the number of a system call with many numbers.
//!
//! When a filter is installed, the kernel runs it for each number that there is, to know the calls that it always allows
//! (`seccomp_cache_prepare()` of kernel/seccomp.c). So the numbers are in blocks, of which a call passes all but one by one
//! comparison.

use std::collections::BTreeSet;

use seccompiler::{BpfProgram, sock_filter};

use crate::confinement::instructions::{jump, load_number};

/// How many numbers are in a block.
const IN_BLOCK: usize = 8;

/// The instructions that end with `matched` for these numbers. Other calls leave them at their end.
pub fn section(numbers: &BTreeSet<u32>, matched: sock_filter) -> BpfProgram {
    if numbers.is_empty() {
        return Vec::new();
    }
    let numbers: Vec<u32> = numbers.iter().copied().collect();
    // Behind its numbers, a block has a jump and an end; before them, a comparison.
    let length = 1 + numbers.len() + 3 * numbers.chunks(IN_BLOCK).len();
    let mut program = vec![load_number()];
    for block in numbers.chunks(IN_BLOCK) {
        let count = block.len() as u8;
        program.extend(block.last().map(|last| compare(libc::BPF_JGT, *last, count + 2)));
        program.extend((0..count).zip(block).map(|(index, number)| compare(libc::BPF_JEQ, *number, count - index)));
        program.push(jump((length - program.len() - 1) as u32));
        program.push(matched.clone());
    }
    program
}

/// Skips as many instructions if the comparison holds.
const fn compare(operator: u32, number: u32, skipped: u8) -> sock_filter {
    sock_filter { code: (libc::BPF_JMP | operator | libc::BPF_K) as u16, jt: skipped, jf: 0, k: number }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the instructions do with a number: whether they end there.
    fn ends(program: &[sock_filter], number: u32) -> bool {
        let mut at = 0;
        while let Some(sock_filter { code, jt, jf, k }) = program.get(at) {
            let code = u32::from(*code);
            at += 1;
            let is = |operator| code == libc::BPF_JMP | operator | libc::BPF_K;
            if code == libc::BPF_RET | libc::BPF_K {
                return true;
            }
            if is(libc::BPF_JA) {
                at += *k as usize;
            } else if is(libc::BPF_JEQ) {
                at += usize::from(if number == *k { *jt } else { *jf });
            } else if is(libc::BPF_JGT) {
                at += usize::from(if number > *k { *jt } else { *jf });
            }
        }
        assert_eq!(at, program.len(), "it leaves the section at its end");
        false
    }

    #[test]
    fn exactly_the_numbers_match() {
        let matched = sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: 0 };
        for count in [1, 7, 8, 9, 16, 70] {
            let numbers: BTreeSet<u32> = (0..count).map(|index| 3 * index + 1).collect();
            let program = section(&numbers, matched.clone());
            for number in 0..3 * count + 3 {
                assert_eq!(ends(&program, number), numbers.contains(&number), "{number} of {count}");
            }
        }
        assert_eq!(section(&BTreeSet::new(), matched).len(), 0);
    }
}
