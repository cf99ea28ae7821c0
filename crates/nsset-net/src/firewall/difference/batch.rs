//! The messages that change a table.

use std::collections::HashSet;

use netlink_packet_core::NLM_F_CREATE;

use super::{
    elements::{self, ElementChanges},
    existing::Existing,
    kept::{self, find},
    listed::{Listing, text},
    reference::Gone,
    sequence,
};
use crate::{
    error::Result,
    firewall::{
        message::{self, kind},
        place::{Place, named},
        set::{anonymous::AnonymousSets, element::Element},
        statement::Statement,
        table::{Chain, Policy, Table, TableRef},
        write::{ElementChange, RulePosition, TableBatch, named_sets},
    },
};

impl TableBatch {
    /// Makes a table of another one, where they differ. Nothing is added to the batch if they are equal.
    pub fn change_table(&mut self, existing: &Existing, table: &Table) -> Result<()> {
        let gone = kept::gone(existing, table)?;
        let named = named_sets(table)?;
        let mut sets = AnonymousSets::beside(&named);
        let chains = rules_of_chains(existing, table, &gone)?;
        self.delete_rules(existing, table, &gone, &chains);
        let changes = element_changes(existing, table, &gone)?;
        for (name, changes) in &changes {
            self.change_some(ElementChange::Delete, table, name, &changes.deleted)?;
        }
        self.delete_gone(existing, &gone);
        if existing.table.dormant != table.dormant {
            self.update_table(table);
        }
        self.add_missing(existing, table, &gone)?;
        for (name, changes) in &changes {
            self.change_some(ElementChange::Add, table, name, &changes.added)?;
        }
        for ((name, chain), rules) in table.chains.iter().zip(&chains) {
            for (number, rule) in chain.rules.iter().enumerate() {
                if let Some(Some(position)) = rules.positions.get(number) {
                    self.add_rule(table, name, number, rule, &mut sets, *position)?;
                }
            }
        }
        Ok(())
    }

    fn delete_rules(&mut self, existing: &Existing, table: &Table, gone: &Gone, chains: &[ChainRules]) {
        let reference = table.reference();
        for (number, (name, _)) in existing.table.chains.iter().enumerate() {
            let new = table.chains.iter().position(|(known, _)| known == name);
            let stays = match new.filter(|_| !gone.chains.contains(name)).and_then(|new| chains.get(new)) {
                Some(rules) => rules.kept.as_slice(),
                None => &[],
            };
            for (handle, _) in existing.rules(number) {
                if stays.binary_search(&handle).is_err() {
                    self.delete_rule(&reference, name, handle);
                }
            }
        }
    }

    fn delete_rule(&mut self, table: &TableRef, chain: &str, handle: u64) {
        let place = Place::Chain(chain.to_owned());
        self.add(place, kind::DELETE_RULE, 0, table.family.number(), |writer| {
            writer.put_text(message::rule::TABLE, &table.name);
            writer.put_text(message::rule::CHAIN, chain);
            writer.put(message::rule::HANDLE, &handle.to_be_bytes());
        });
    }

    /// Deletes sets, then chains, to which maps can lead, and objects.
    fn delete_gone(&mut self, existing: &Existing, gone: &Gone) {
        let table = existing.table.reference();
        let family = table.family.number();
        for (name, _) in existing.table.sets.iter().filter(|(name, _)| gone.sets.contains(name)) {
            self.add(Place::Set(name.clone()), kind::DELETE_SET, 0, family, |writer| {
                writer.put_text(message::set::TABLE, &table.name);
                writer.put_text(message::set::NAME, name);
            });
        }
        for (name, _) in existing.table.chains.iter().filter(|(name, _)| gone.chains.contains(name)) {
            self.add(Place::Chain(name.clone()), kind::DELETE_CHAIN, 0, family, |writer| {
                writer.put_text(message::chain::TABLE, &table.name);
                writer.put_text(message::chain::NAME, name);
            });
        }
        for (name, object) in existing.table.objects().filter(|(name, _)| gone.objects.contains(*name)) {
            self.add(object.place(name), kind::DELETE_OBJECT, 0, family, |writer| {
                writer.put_text(message::object::TABLE, &table.name);
                writer.put_text(message::object::NAME, name);
                writer.put_u32(message::object::KIND, object.kind().number());
            });
        }
    }

    /// Adds objects, chains and sets that do not exist, or that were deleted.
    fn add_missing(&mut self, existing: &Existing, table: &Table, gone: &Gone) -> Result<()> {
        let before = &existing.table;
        let known: HashSet<_> = before.objects().map(|(name, object)| (object.kind(), name)).collect();
        for (name, object) in table.objects() {
            if !known.contains(&(object.kind(), name)) || gone.objects.contains(name) {
                self.add_object(table, name, object);
            }
        }
        for (name, chain) in &table.chains {
            match find(&before.chains, name).filter(|_| !gone.chains.contains(name)) {
                Some(old) if policy(old) != policy(chain) => self.update_policy(table, name, policy(chain)),
                Some(_) => {}
                None => self.add_chain(table, name, chain)?,
            }
        }
        for (name, set) in &table.sets {
            if find(&before.sets, name).is_none() || gone.sets.contains(name) {
                self.add_set(table, name, set)?;
            }
        }
        Ok(())
    }

    fn update_policy(&mut self, table: &Table, name: &str, policy: Policy) {
        let place = Place::Chain(name.to_owned());
        self.add(place, kind::NEW_CHAIN, NLM_F_CREATE, table.family.number(), |writer| {
            writer.put_text(message::chain::TABLE, &table.name);
            writer.put_text(message::chain::NAME, name);
            writer.put_u32(message::chain::POLICY, u32::from(policy == Policy::Accept));
        });
    }

    fn change_some(&mut self, change: ElementChange, table: &Table, name: &str, elements: &[Element]) -> Result<()> {
        let Some(set) = find(&table.sets, name) else { return Ok(()) };
        let storage = set.storage(set.key_types()?.len());
        let place = Place::Set(name.to_owned());
        self.change_elements(change, &table.reference(), &place, name, None, elements, storage, false);
        Ok(())
    }
}

/// The policy of a chain: base chains accept if nothing else is given.
fn policy(chain: &Chain) -> Policy {
    chain.policy.unwrap_or(Policy::Accept)
}

/// Returns the changes of the sets that stay.
fn element_changes<'a>(existing: &Existing, table: &'a Table, gone: &Gone) -> Result<Vec<(&'a str, ElementChanges)>> {
    let mut all = Vec::new();
    for (name, set) in table.sets.iter().filter(|(name, _)| !gone.sets.contains(name)) {
        if let Some(before) = find(&existing.table.sets, name) {
            let changes = elements::changes(before, set).map_err(|error| named(error, Place::Set(name.clone())))?;
            all.push((name.as_str(), changes));
        }
    }
    Ok(all)
}

/// What happens to the rules of a chain.
struct ChainRules {
    /// The handles of those that stay, in the order of numbers.
    kept: Vec<u64>,
    /// For each new rule where it is added, unless it stays.
    positions: Vec<Option<RulePosition>>,
}

fn rules_of_chains(existing: &Existing, table: &Table, gone: &Gone) -> Result<Vec<ChainRules>> {
    let listing = Listing::of(table)?;
    let mut all = Vec::new();
    for (name, chain) in &table.chains {
        let old = existing.table.chains.iter().position(|(known, _)| known == name);
        let old = old.filter(|_| !gone.chains.contains(name));
        let stays: Vec<(u64, &[Statement])> =
            old.map(|old| existing.rules(old).filter(|(_, rule)| !gone.is_used_by(rule)).collect()).unwrap_or_default();
        let texts: Vec<String> = stays.iter().map(|(_, rule)| text(rule)).collect();
        let mut wanted = Vec::with_capacity(chain.rules.len());
        for rule in &chain.rules {
            // A rule that cannot be written is reported when it is added.
            let listed = listing.as_listed(rule);
            wanted.push(text(listed.as_deref().unwrap_or(rule)));
        }
        let kept = sequence::kept(&texts, &wanted);
        let handle = |place: &Option<usize>| place.and_then(|place| stays.get(place)).map(|(handle, _)| *handle);
        let mut next = None;
        let mut positions: Vec<_> = kept
            .iter()
            .rev()
            .map(|place| match handle(place) {
                Some(handle) => {
                    next = Some(handle);
                    None
                }
                None => Some(next.map_or(RulePosition::Last, RulePosition::Before)),
            })
            .collect();
        positions.reverse();
        let mut kept: Vec<_> = kept.iter().filter_map(handle).collect();
        kept.sort_unstable();
        all.push(ChainRules { kept, positions });
    }
    Ok(all)
}
