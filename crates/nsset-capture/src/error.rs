//! The errors of opening a capture.

use std::io;

use crate::syntax_error::SyntaxError;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Syntax(#[from] SyntaxError),

    /// A program that no kernel accepts.
    #[error("{0}")]
    Program(String),

    #[error("{call}: {source}")]
    System { call: &'static str, source: io::Error },
}

/// Converts the error of a system call.
pub fn failed(call: &'static str) -> impl Fn(io::Error) -> Error {
    move |source| Error::System { call, source }
}
