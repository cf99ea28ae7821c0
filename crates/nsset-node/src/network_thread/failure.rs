//! The error of a request about a network.

use nix::errno::Errno;
use nsset_net::KernelError;

use crate::error_fields::ErrorFields;

/// An error of one of the crates.
pub enum Failure {
    Set(nsset::Error),
    Network(nsset_net::Error),
    Name(nsset_dns::Error),
}

impl Failure {
    /// Returns an error of the crate for networks with the same error number.
    pub fn into_network_error(self) -> nsset_net::Error {
        let errno = match self {
            Self::Network(error) => return error,
            Self::Set(nsset::Error::System(system)) => system.errno,
            Self::Set(_) | Self::Name(_) => Errno::EIO,
        };
        let kernel = KernelError { errno, request: "socket", target: String::new(), words: None, hint: None };
        Box::new(kernel).into()
    }
}

impl From<nsset::Error> for Failure {
    fn from(error: nsset::Error) -> Self {
        Self::Set(error)
    }
}

impl From<nsset_net::Error> for Failure {
    fn from(error: nsset_net::Error) -> Self {
        Self::Network(error)
    }
}

impl From<nsset_dns::Error> for Failure {
    fn from(error: nsset_dns::Error) -> Self {
        Self::Name(error)
    }
}

impl From<&Failure> for ErrorFields {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Set(error) => error.into(),
            Failure::Network(error) => error.into(),
            Failure::Name(error) => error.into(),
        }
    }
}
