//! Repeats system calls that failed for a temporary reason.

use nix::errno::Errno;

/// How often a call is tried that must not fail for lack of memory.
const MOST_TRIES: u32 = 3;

/// Repeats a call that a signal interrupts.
pub(crate) fn uninterrupted<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            outcome => return outcome,
        }
    }
}

/// Repeats a clean-up call a few times if the kernel lacks memory. Its failure would leave something behind for good.
pub(crate) fn insist<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    let mut outcome = uninterrupted(&mut call);
    for _ in 1..MOST_TRIES {
        if !matches!(outcome, Err(Errno::ENOMEM | Errno::EAGAIN)) {
            break;
        }
        outcome = uninterrupted(&mut call);
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    type Call<'a> = &'a mut dyn FnMut() -> Result<(), Errno>;

    /// The outcome of a call that fails this often before it succeeds, and how often it was made.
    fn failing(times: u32, errno: Errno, make: fn(Call<'_>) -> Result<(), Errno>) -> (Result<(), Errno>, u32) {
        let mut calls = 0;
        let outcome = make(&mut || {
            calls += 1;
            if calls <= times { Err(errno) } else { Ok(()) }
        });
        (outcome, calls)
    }

    #[test]
    fn signals_never_come_between() {
        assert_eq!(failing(100, Errno::EINTR, |call| uninterrupted(call)), (Ok(()), 101));
        assert_eq!(failing(1, Errno::ENOMEM, |call| uninterrupted(call)), (Err(Errno::ENOMEM), 1));
    }

    #[test]
    fn a_lack_of_memory_may_pass_and_other_errors_do_not() {
        assert_eq!(failing(2, Errno::ENOMEM, |call| insist(call)), (Ok(()), 3));
        assert_eq!(failing(9, Errno::ENOMEM, |call| insist(call)), (Err(Errno::ENOMEM), MOST_TRIES));
        assert_eq!(failing(1, Errno::EPERM, |call| insist(call)), (Err(Errno::EPERM), 1));
    }
}
