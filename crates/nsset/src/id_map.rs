//! The id maps of a new user namespace: user_namespaces(7).

use std::fmt::Write as _;

use serde::Deserialize;

/// Maps `size` ids from `container_id` on to those from `host_id` on in the namespace above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdMap {
    pub container_id: u32,
    pub host_id: u32,
    pub size: u32,
}

/// A map by its purpose, as in unshare(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MapUser {
    /// The caller is root inside: `--map-root-user`.
    Root,
    /// The caller keeps its ids: `--map-current-user`.
    Current,
    /// The first range of /etc/subuid and /etc/subgid, from 0 on: `--map-auto`.
    Auto,
    /// The caller has this user and group id inside: `--map-user=N`.
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

/// The mappings to write for a new user namespace.
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

/// Whether one of the maps has this id of the namespace above.
pub fn has_host_id(maps: &[IdMap], id: u32) -> bool {
    maps.iter().any(|map| id.checked_sub(map.host_id).is_some_and(|offset| offset < map.size))
}

/// The text of a map for a file of `/proc/PID`.
pub fn text(maps: &[IdMap]) -> String {
    maps.iter().fold(String::new(), |mut text, map| {
        let _ = writeln!(text, "{} {} {}", map.container_id, map.host_id, map.size);
        text
    })
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
