//! The id maps of a new user namespace: user_namespaces(7).

use std::fmt::Write as _;

use nix::errno::Errno;
use serde::Deserialize;

use crate::proc;

/// `size` ids from `container_id` on are those from `host_id` on in the namespace above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdMap {
    pub container_id: u32,
    pub host_id: u32,
    pub size: u32,
}

/// A map by what it is for, as unshare(1) has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MapUser {
    /// The caller is root inside: `--map-root-user`.
    Root,
    /// The caller is who it is: `--map-current-user`.
    Current,
    /// The first range of /etc/subuid and /etc/subgid, from 0 on: `--map-auto`.
    Auto,
    /// The caller has this id: `--map-user=N`, and the group alike.
    #[serde(untagged)]
    Id(u32),
}

/// Whether setgroups(2) is allowed inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Setgroups {
    Allow,
    Deny,
}

impl Setgroups {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// What is to be written for a new user namespace.
#[derive(Clone, Debug, Default)]
pub struct Maps {
    pub uid: Vec<IdMap>,
    pub gid: Vec<IdMap>,
    pub setgroups: Option<Setgroups>,
}

impl Maps {
    pub fn is_empty(&self) -> bool {
        self.uid.is_empty() && self.gid.is_empty() && self.setgroups.is_none()
    }
}

/// Maps as the files of `/proc/PID` take them.
pub fn text(maps: &[IdMap]) -> String {
    maps.iter().fold(String::new(), |mut text, map| {
        let _ = writeln!(text, "{} {} {}", map.container_id, map.host_id, map.size);
        text
    })
}

/// What the kernel means when it refuses a map.
pub fn explain(errno: Errno) -> &'static str {
    match errno {
        Errno::EINVAL => {
            "the kernel refuses maps that overlap, pass 4294967295, are empty, or are more than 340 or longer than 4 KiB as text"
        }
        Errno::EPERM => {
            "an ordinary user maps its own id only, its own group only with setgroups 'deny', and more with ranges in \
             /etc/subuid and /etc/subgid; and an id must exist in the user namespace above"
        }
        Errno::EROFS => proc::explain_read_only(),
        _ => "user_namespaces(7) says what the kernel takes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_reads_as_the_kernel_wants_it() {
        let maps = [
            IdMap { container_id: 0, host_id: 1000, size: 1 },
            IdMap { container_id: 1, host_id: 100_000, size: 65536 },
        ];
        assert_eq!(text(&maps), "0 1000 1\n1 100000 65536\n");
    }
}
