//! A table as the kernel has it, with what changes of it need.

use crate::firewall::{statement::Statement, table::Table};

/// A table in the kernel.
#[derive(Clone, Debug)]
pub(crate) struct Existing {
    pub table: Table,
    /// For each chain, the handles of its rules.
    pub handles: Vec<Vec<u64>>,
    /// Whether all that is in the table can be expressed here.
    pub is_whole: bool,
}

impl Existing {
    /// Returns the rules of a chain, each with its handle.
    pub fn rules(&self, chain: usize) -> impl Iterator<Item = (u64, &[Statement])> {
        let handles = self.handles.get(chain).map(Vec::as_slice).unwrap_or_default();
        let rules = self.table.chains.get(chain).map(|(_, chain)| chain.rules.as_slice()).unwrap_or_default();
        handles.iter().copied().zip(rules.iter().map(Vec::as_slice))
    }
}
