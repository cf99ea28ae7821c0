//! The entry point: the kernel starts the program here, with `argc argv envp` on the stack.

use crate::{arguments::Arguments, program, syscall};

#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {entry}",
    "ud2",
    entry = sym entry,
);

#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "mov x29, #0",
    "mov x30, #0",
    "mov x0, sp",
    "and x1, x0, #-16",
    "mov sp, x1",
    "bl {entry}",
    "brk #1",
    entry = sym entry,
);

/// # Safety
/// Called once, by `_start`, with the stack as execve(2) leaves it.
unsafe extern "C" fn entry(stack: *const usize) -> ! {
    // SAFETY: execve(2) put `argc`, `argc` pointers, NULL, and the pointers of the environment vector here.
    let vector = unsafe { stack.add(1 + *stack + 1).cast::<*const u8>().cast_mut() };
    // SAFETY: the vector is on our own stack, and all of it is ours.
    match unsafe { cut(vector) } {
        Some((program, environment)) => program::run(program, environment),
        None => syscall::exit(100),
    }
}

/// Splits the vector in two, the words of the program and the environment that follows: NULL replaces the empty word
/// between them.
///
/// # Safety
/// `vector` is a NULL-terminated array of NUL-terminated strings, writable, that nothing else uses.
unsafe fn cut(vector: *mut *const u8) -> Option<(Arguments, *const *const u8)> {
    // SAFETY: the caller guarantees the vector, and no access goes past its terminating NULL.
    unsafe {
        let mut program = Arguments::new(vector);
        let count = program.number().ok()?;
        let mut separator = vector.add(1);
        for _ in 0..count {
            if (*separator).is_null() {
                return None;
            }
            separator = separator.add(1);
        }
        if (*separator).is_null() {
            return None;
        }
        separator.write(core::ptr::null());
        Some((program, separator.add(1).cast_const()))
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    syscall::exit(101)
}

/// The prebuilt `core` refers to it, although nothing in this program unwinds.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
