//! How a system call is made.

use super::errno::Errno;

/// One system call. The result is that of the kernel: a value, or an error number below zero.
///
/// # Safety
/// The arguments must be valid for the call, as its manual page describes.
#[cfg(target_arch = "x86_64")]
pub(super) unsafe fn trap(number: usize, arguments: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the System V convention of the syscall instruction: it clobbers rcx and r11 only.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            in("r8") arguments[4],
            in("r9") arguments[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// One system call, as above.
///
/// # Safety
/// The arguments must be valid for the call, as its manual page describes.
#[cfg(target_arch = "aarch64")]
pub(super) unsafe fn trap(number: usize, arguments: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the convention of svc 0: the number in x8, the result in x0, nothing else clobbered.
    unsafe {
        core::arch::asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") arguments[0] as isize => result,
            in("x1") arguments[1],
            in("x2") arguments[2],
            in("x3") arguments[3],
            in("x4") arguments[4],
            in("x5") arguments[5],
            options(nostack),
        );
    }
    result
}

pub(super) fn checked(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| -result as Errno)
}

/// A system call; arguments that are not given are zero.
macro_rules! call {
    ($number:expr) => { call!(@ $number, 0, 0, 0, 0, 0, 0) };
    ($number:expr, $a:expr) => { call!(@ $number, $a, 0, 0, 0, 0, 0) };
    ($number:expr, $a:expr, $b:expr) => { call!(@ $number, $a, $b, 0, 0, 0, 0) };
    ($number:expr, $a:expr, $b:expr, $c:expr) => { call!(@ $number, $a, $b, $c, 0, 0, 0) };
    ($number:expr, $a:expr, $b:expr, $c:expr, $d:expr) => { call!(@ $number, $a, $b, $c, $d, 0, 0) };
    ($number:expr, $a:expr, $b:expr, $c:expr, $d:expr, $e:expr) => { call!(@ $number, $a, $b, $c, $d, $e, 0) };
    ($number:expr, $a:expr, $b:expr, $c:expr, $d:expr, $e:expr, $f:expr) => { call!(@ $number, $a, $b, $c, $d, $e, $f) };
    (@ $number:expr $(, $argument:expr)*) => {{
        let arguments = [$($argument as usize),*];
        // SAFETY: every pointer comes from a reference or a `CStr` that outlives the call, with its length beside it where
        // the call takes one, or from the caller of a function that is unsafe for it; the rest are plain numbers.
        checked(unsafe { trap($number, arguments) })
    }};
}

/// A system call that is repeated when a signal interrupts it.
macro_rules! uninterrupted {
    ($($call:tt)*) => {
        loop {
            match call!($($call)*) {
                Err(EINTR) => {}
                outcome => break outcome,
            }
        }
    };
}

pub(super) use call;
pub(super) use uninterrupted;
