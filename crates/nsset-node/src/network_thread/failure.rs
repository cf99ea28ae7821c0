//! The error of a request about a network.

use crate::error_fields::ErrorFields;

/// An error of one of the crates.
pub enum Failure {
    Set(nsset::Error),
    Network(nsset_net::Error),
    Name(nsset_dns::Error),
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
