//! `log`: writes packets to the kernel's log, or passes them to a program.

use serde::{Deserialize, Serialize};

use crate::firewall::{
    expression::action::log::Log as Expression,
    matching::names::{self, Names},
};

/// Options of `log`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snap_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_threshold: Option<u16>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
}

/// syslog(3).
const LEVELS: Names = &[
    ("emerg", 0),
    ("alert", 1),
    ("crit", 2),
    ("err", 3),
    ("warn", 4),
    ("notice", 5),
    ("info", 6),
    ("debug", 7),
    ("audit", 8),
];

/// The level of nft(8) if there is none.
const WARN: u32 = 4;

/// `NF_LOG_*` of linux/netfilter/nf_log.h.
const FLAGS: Names = &[("tcp sequence", 1), ("tcp options", 2), ("ip options", 4), ("skuid", 8), ("ether", 32)];

impl Log {
    pub(crate) fn lower(&self) -> Expression {
        let flags = self.flags.iter().filter_map(|name| names::number(FLAGS, name)).sum::<u64>() as u32;
        let level = self.level.as_deref().and_then(|name| names::number(LEVELS, name)).map(|level| level as u32);
        Expression {
            group: self.group,
            prefix: self.prefix.clone(),
            snap_length: self.snap_length,
            threshold: self.queue_threshold,
            level,
            flags: Some(flags).filter(|flags| *flags != 0),
        }
    }

    pub(crate) fn lift(log: &Expression) -> Option<Self> {
        let bits = u64::from(log.flags.unwrap_or(0));
        let flags: Vec<_> = FLAGS.iter().filter(|(_, bit)| bits & bit != 0).collect();
        // The kernel lists the default level of a log without a group.
        let level = log.level.filter(|level| *level != WARN);
        let level = match level {
            Some(level) => Some(names::name(LEVELS, level.into())?.to_owned()),
            None => None,
        };
        (flags.iter().map(|(_, bit)| bit).sum::<u64>() == bits).then(|| Self {
            prefix: log.prefix.clone().filter(|prefix| !prefix.is_empty()),
            level,
            group: log.group,
            snap_length: log.snap_length.filter(|length| *length != 0),
            queue_threshold: log.threshold.filter(|threshold| *threshold != 0),
            flags: flags.into_iter().map(|(name, _)| (*name).to_owned()).collect(),
        })
    }
}
