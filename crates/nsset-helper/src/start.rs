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
    // SAFETY: execve(2) put `argc`, `argc` pointers, NULL, and the environment's pointers here.
    let (arguments, environment) = unsafe {
        let count = *stack;
        let argv = stack.add(1).cast::<*const u8>();
        (Arguments::new(argv), argv.add(count + 1))
    };
    program::run(arguments, environment)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    syscall::exit(101)
}

/// The prebuilt `core` names it, though nothing here unwinds.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
