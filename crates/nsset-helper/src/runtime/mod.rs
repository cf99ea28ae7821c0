//! The runtime of a program without a libc: an entry point, and the functions that the compiler calls.

mod memory;
mod start;
