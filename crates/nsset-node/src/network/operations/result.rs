//! The result of an operation.

use serde::Serialize;

use crate::{network::outcome, network_thread::failure::Failure};

/// As JSON, which JavaScript parses.
pub fn json<T: Serialize>(result: &T) -> Result<String, Failure> {
    Ok(outcome::json(result)?)
}
