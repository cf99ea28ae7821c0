//! What a program without a libc needs: an entry point, and the functions that the compiler calls.

mod memory;
mod start;
