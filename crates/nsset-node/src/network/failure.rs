//! What can go wrong with a network: inside it, or on the way there.

use crate::error_fields::ErrorFields;

/// An error of either crate.
pub enum Failure {
    Set(nsset::Error),
    Network(nsset_net::Error),
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

impl From<&Failure> for ErrorFields {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Set(error) => error.into(),
            Failure::Network(error) => error.into(),
        }
    }
}
