//! Duplicated descriptors of a set's namespaces.

use std::os::fd::{AsRawFd, OwnedFd};

use napi_derive::napi;
use nsset::Kind;

/// The native part of an `FdSet`.
#[napi]
pub struct NativeFds {
    fds: Vec<(Kind, OwnedFd)>,
}

impl NativeFds {
    pub fn new(fds: Vec<(Kind, OwnedFd)>) -> Self {
        Self { fds }
    }
}

#[napi]
impl NativeFds {
    /// `[kind, descriptor]` for each namespace, in order.
    #[napi(catch_unwind)]
    pub fn entries(&self) -> Vec<(String, i32)> {
        self.fds.iter().map(|(kind, fd)| (kind.name().to_owned(), fd.as_raw_fd())).collect()
    }

    #[napi(catch_unwind)]
    pub fn close(&mut self) {
        self.fds.clear();
    }
}
