//! Makes system calls of the calling thread, and of processes that it starts, fail for good (seccomp(2)).
#![allow(dead_code)] // no test uses all of it

use nix::errno::Errno;

/// Makes this call fail for all arguments.
pub fn refuse(call: libc::c_long, errno: Errno) {
    install(&[load(0), unless_equal(call as u32, 1), answer(errno), ALLOW]);
}

/// Makes this call fail if its first argument is one of these descriptors.
pub fn refuse_for(call: libc::c_long, fds: &[i32], errno: Errno) {
    // The number of the call is at 0 of `struct seccomp_data`, the low half of the first argument at 16.
    let mut filter = vec![load(0), unless_equal(call as u32, 2 * fds.len() as u8 + 1), load(16)];
    for fd in fds {
        filter.extend([unless_equal(*fd as u32, 1), answer(errno)]);
    }
    filter.push(ALLOW);
    install(&filter);
}

const ALLOW: libc::sock_filter =
    libc::sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW };

fn load(offset: u32) -> libc::sock_filter {
    libc::sock_filter { code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, jt: 0, jf: 0, k: offset }
}

fn unless_equal(value: u32, skip: u8) -> libc::sock_filter {
    libc::sock_filter { code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, jt: 0, jf: skip, k: value }
}

fn answer(errno: Errno) -> libc::sock_filter {
    libc::sock_filter { k: libc::SECCOMP_RET_ERRNO | errno as u32, ..ALLOW }
}

fn install(filter: &[libc::sock_filter]) {
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
    // SAFETY: the program and the filter outlive the calls, which change the calling thread alone.
    unsafe {
        Errno::result(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)).unwrap();
        Errno::result(libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program)).unwrap();
    }
}
