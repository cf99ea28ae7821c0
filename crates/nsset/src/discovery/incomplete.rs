//! What could not be looked at.

use serde::Serialize;

/// What the caller could not see, and how many of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Incomplete {
    pub what: What,
    pub count: Option<u32>,
    /// The name of the kernel's error.
    pub code: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Processes whose namespaces and descriptors cannot be read.
    Processes,
    /// Sockets whose network cannot be asked for.
    Sockets,
    /// Mount namespaces whose mounts cannot be read.
    Mounts,
    /// `/proc` hides processes of other users.
    Hidepid,
    /// Processes outside of the pid namespace of `/proc` are not in it.
    PidNamespace,
}
