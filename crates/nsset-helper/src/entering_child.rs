//! The steps of a child that shares the memory of its parent until it executes another program: it enters namespaces,
//! and then executes. A process that shares only these namespaces with the child sees no more of its memory than of the
//! memory of the parent. The child never joins a `user`, `pid` or `mnt` namespace, because these guard memory.

use crate::{
    arguments::Arguments,
    process::steps::{self, Process},
    protocol::word,
    syscall::{self, EINVAL, EPERM, Errno},
};

/// `CLONE_NEWCGROUP`, `CLONE_NEWIPC`, `CLONE_NEWNET` and `CLONE_NEWUTS`.
const MAY_JOIN: [usize; 4] = [0x0200_0000, 0x0800_0000, 0x4000_0000, 0x0400_0000];

/// The step that failed. Number 0 marks all descriptors close-on-exec.
#[derive(Clone, Copy, Debug)]
pub struct Failure {
    pub step: u32,
    pub errno: Errno,
}

/// Runs a program, and returns only if a step fails. It only makes system calls: it allocates no memory, takes no lock,
/// and writes only to its own stack and to the vector.
///
/// # Safety
/// Both are NULL-terminated vectors of NUL-terminated strings that outlive the call, and the first one is writable. The
/// child has its own table of descriptors, its own working directory and its own signal dispositions, and all signals
/// are blocked.
pub unsafe fn run(program: *mut *const u8, environment: *const *const u8) -> Failure {
    // SAFETY: the caller guarantees it.
    let mut arguments = unsafe { Arguments::new(program) };
    if let Err(errno) = syscall::close_on_exec_from(0) {
        return Failure { step: 0, errno };
    }
    let mut ruleset = -1;
    let mut step = 1;
    while let Some(word) = arguments.word() {
        if let Err(errno) = take(word.to_bytes(), &mut arguments, &mut ruleset, environment) {
            return Failure { step, errno };
        }
        step += 1;
    }
    // A program without an exec at its end is invalid.
    Failure { step, errno: EINVAL }
}

fn take(word: &[u8], arguments: &mut Arguments, ruleset: &mut i32, environment: *const *const u8) -> Result<(), Errno> {
    if word == word::SETNS {
        return join(arguments.fd()?, arguments.number()?);
    }
    let mut none = [-1, -1];
    let [first, second] = &mut none;
    steps::take(word, arguments, Process { kept: [first, second], ruleset, environment })
}

fn join(fd: i32, flag: usize) -> Result<(), Errno> {
    if !MAY_JOIN.contains(&flag) {
        return Err(EPERM);
    }
    syscall::setns(fd, flag).map(drop)
}
