//! Resource limits (getrlimit(2)).

use crate::{
    arguments::{Arguments, decimal},
    syscall::{self, EINVAL, Errno, Limit},
};

/// Sets the limits of a resource. A limit that is not given stays, except that the soft one is lowered to the hard one.
pub fn set(arguments: &mut Arguments) -> Result<(), Errno> {
    let resource = arguments.number()?;
    let soft = optional_limit(arguments)?;
    let hard = optional_limit(arguments)?;
    let now = syscall::limit(resource)?;
    let hard = hard.unwrap_or(now.hard);
    let soft = soft.unwrap_or(now.soft.min(hard));
    syscall::set_limit(resource, &Limit { soft, hard }).map(drop)
}

/// A decimal number, or `-` for none.
fn optional_limit(arguments: &mut Arguments) -> Result<Option<u64>, Errno> {
    let text = arguments.text()?.to_bytes();
    if text == b"-" {
        return Ok(None);
    }
    decimal(text).map(|limit| Some(limit as u64)).ok_or(EINVAL)
}
