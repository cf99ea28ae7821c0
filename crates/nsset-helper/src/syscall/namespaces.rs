//! Namespaces, and the host name of one.

use super::{
    errno::Errno,
    number,
    trap::{call, checked, trap},
};

pub fn setns(fd: i32, flag: usize) -> Result<usize, Errno> {
    call!(number::SETNS, fd, flag)
}

pub fn unshare(flags: usize) -> Result<usize, Errno> {
    call!(number::UNSHARE, flags)
}

pub fn sethostname(name: &[u8]) -> Result<usize, Errno> {
    call!(number::SETHOSTNAME, name.as_ptr(), name.len())
}
