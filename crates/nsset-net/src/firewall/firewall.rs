//! The operations on tables.

use std::{
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use netlink_packet_core::NetlinkSerializable;
use nix::errno::Errno;

use super::{
    count::TableCounts,
    difference::Existing,
    flow_table::FlowTable,
    message::{self, kind},
    missing,
    object::FoundObject,
    place::{ObjectPlace, Place, named},
    read::{self, FoundTable, SetHeader},
    statement::Found,
    table::{SetElement, Table, TableRef},
    write::{ElementChange, TableBatch},
};
use crate::{
    error::{Error, NetlinkError, Result},
    netlink::{
        attributes::Malformed,
        conversation::{ATTEMPTS, Conversation},
        nfnetlink::batch::Refusal,
        request::Request,
    },
};

type Answer<T> = std::result::Result<T, NetlinkError>;

/// The nf_tables of the network in which the socket was created. Clones share the socket. Dropping the last one closes it.
#[derive(Clone, Debug)]
pub struct Firewall {
    conversation: Arc<Conversation>,
    /// Whether no table was replaced yet: then the network may be new, too.
    is_first: Arc<AtomicBool>,
}

/// The generation of a network in which no table was ever added: nf_tables_init_net() of net/netfilter/nf_tables_api.c.
const FIRST_GENERATION: u32 = 1;

/// A table with more rules is not sent in vain.
const FEW_RULES: usize = 64;

impl Firewall {
    /// Takes a socket of `AF_NETLINK` and `NETLINK_NETFILTER` that no other code uses. Must be called inside a tokio runtime.
    pub fn open(socket: OwnedFd) -> Result<Self> {
        Ok(Self::of(Conversation::open(socket)?))
    }

    /// Like `open`, but needs no runtime, as [`Network::open_blocking`](crate::Network::open_blocking).
    pub fn open_blocking(socket: OwnedFd) -> Result<Self> {
        Ok(Self::of(Conversation::open_blocking(socket)?))
    }

    fn of(conversation: Conversation) -> Self {
        Self { conversation: Arc::new(conversation), is_first: Arc::new(AtomicBool::new(true)) }
    }

    /// Returns what else can use the socket.
    pub(crate) fn conversation(&self) -> Arc<Conversation> {
        Arc::clone(&self.conversation)
    }

    /// Lists all tables with all that is in them.
    pub async fn list(&self) -> Result<Vec<Table>> {
        let found = self.unchanged(None).await;
        let tables = found.map(|(tables, _)| tables.into_iter().map(|existing| existing.table).collect());
        tables.map_err(|error| error.of("NFT_MSG_GETTABLE", ""))
    }

    /// Lists all tables with the handles of their rules.
    pub(crate) async fn list_existing(&self) -> Result<Vec<Existing>> {
        let found = self.unchanged(None).await;
        found.map(|(tables, _)| tables).map_err(|error| error.of("NFT_MSG_GETTABLE", ""))
    }

    /// Returns a table with all that is in it.
    pub async fn get(&self, table: &TableRef) -> Result<Table> {
        let tables = self.unchanged(Some(table)).await;
        let found = tables.and_then(|(mut tables, _)| tables.pop().ok_or_else(|| Errno::ENOENT.into()));
        match found {
            Ok(existing) => Ok(existing.table),
            Err(error) => Err(self.explained(error.of("NFT_MSG_GETTABLE", table), table, None).await),
        }
    }

    /// Adds a table, or makes one of the table with this name, in one batch: packets meet either all of the old one or all of the new
    /// one. What is equal in both stays as it is, with its counters.
    pub async fn replace(&self, table: &Table) -> Result<()> {
        let reference = table.reference();
        if self.is_first.swap(false, Ordering::Relaxed) && self.add_to_new_network(table, &reference).await? {
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            let existing = self.existing(&reference).await;
            let Some((existing, generation)) = existing.map_err(|error| error.of("NFT_MSG_GETTABLE", &reference))?
            else {
                return self.replace_whole(table).await;
            };
            let can_change = existing.is_whole
                && existing.table.comment == table.comment
                && existing.table.flow_tables == table.flow_tables;
            let mut batch = TableBatch::begin(Some(generation));
            if !can_change {
                return self.replace_whole(table).await;
            }
            batch.change_table(&existing, table)?;
            if batch.is_empty() {
                return Ok(());
            }
            match self.commit(batch.end()?, "NFT_MSG_NEWTABLE", &reference).await {
                // Tables have changed meanwhile.
                Err(error) if error.errno() == Some(Errno::ERESTART) => {}
                Ok(()) => return Ok(()),
                // The kernel cannot change the table like this. If the new one is wrong, the error says where.
                Err(_) => return self.replace_whole(table).await,
            }
        }
        Err(NetlinkError::from(Errno::EAGAIN).of("NFT_MSG_NEWTABLE", &reference))
    }

    /// Adds a table if the network has never had one, without a request for what exists. Returns whether that was so.
    async fn add_to_new_network(&self, table: &Table, reference: &TableRef) -> Result<bool> {
        if table.chains.iter().map(|(_, chain)| chain.rules.len()).sum::<usize>() > FEW_RULES {
            return Ok(false);
        }
        let mut batch = TableBatch::begin(Some(FIRST_GENERATION));
        batch.add_table(table)?;
        match self.commit(batch.end()?, "NFT_MSG_NEWTABLE", reference).await {
            Err(error) if error.errno() == Some(Errno::ERESTART) => Ok(false),
            outcome => outcome.map(|()| true),
        }
    }

    /// Adds a table, after the one with this name was deleted.
    async fn replace_whole(&self, table: &Table) -> Result<()> {
        let reference = table.reference();
        let mut batch = TableBatch::begin(None);
        // The kernel deletes a table only if it exists.
        batch.add_empty_table(&reference);
        batch.delete_table(&reference);
        batch.add_table(table)?;
        self.commit(batch.end()?, "NFT_MSG_NEWTABLE", &reference).await
    }

    /// Returns a table, and the generation of which it is; `None` if it does not exist.
    async fn existing(&self, table: &TableRef) -> Answer<Option<(Existing, u32)>> {
        match self.table(table).await {
            Err(error) if error.errno == Errno::ENOENT => return Ok(None),
            outcome => drop(outcome?),
        }
        let (mut tables, generation) = self.unchanged(Some(table)).await?;
        Ok(tables.pop().map(|existing| (existing, generation)))
    }

    /// Deletes a table and all that is in it. With `force`, it may be missing.
    pub async fn delete(&self, table: &TableRef, force: bool) -> Result<()> {
        let mut batch = TableBatch::begin(None);
        if force {
            // The kernel deletes a table only if it exists.
            batch.add_empty_table(table);
        }
        batch.delete_table(table);
        match self.commit(batch.end()?, "NFT_MSG_DELTABLE", table).await {
            Err(error) => Err(self.explained(error, table, None).await),
            done => done,
        }
    }

    /// Returns what the counters and quotas of a table have counted.
    pub async fn counters(&self, table: &TableRef) -> Result<TableCounts> {
        let counts = async {
            self.table(table).await?;
            let (rules, objects) = (self.rules(table).await?, self.objects(table).await?);
            let mut counts = TableCounts::of(&objects, &rules).map_err(NetlinkError::from)?;
            let mut headers = self.set_headers(table).await?;
            headers.retain(SetHeader::can_count);
            let sets = self.sets(table, &headers).await?;
            for header in &headers {
                if let Some(found) = sets.get(&header.name) {
                    counts.add_elements(header, found);
                }
            }
            Ok::<_, NetlinkError>(counts)
        };
        match counts.await {
            Ok(counts) => Ok(counts),
            Err(error) => Err(self.explained(error.of("NFT_MSG_GETOBJ", table), table, None).await),
        }
    }

    /// Adds elements to a set or a map of a table, all of them or none. Those that it has stay.
    pub async fn add_elements(&self, table: &TableRef, set: &str, elements: &[SetElement]) -> Result<()> {
        self.change_elements(ElementChange::Add, table, set, elements).await
    }

    /// Deletes elements of a set or a map of a table, all of them or none.
    pub async fn delete_elements(&self, table: &TableRef, set: &str, elements: &[SetElement]) -> Result<()> {
        self.change_elements(ElementChange::Delete, table, set, elements).await
    }

    async fn change_elements(
        &self,
        change: ElementChange,
        table: &TableRef,
        set: &str,
        elements: &[SetElement],
    ) -> Result<()> {
        let question = message::about(kind::GET_SET, table.family, |writer| {
            writer.put_text(message::set::TABLE, &table.name);
            writer.put_text(message::set::NAME, set);
        });
        let header = self.conversation.get(Request::act(question), read::set).await;
        let place = Place::Set(set.to_owned());
        let target = || format!("{table}, {place}");
        let header = match header {
            Ok(header) => header,
            Err(error) => return Err(self.explained(error.of("NFT_MSG_GETSET", target()), table, Some(set)).await),
        };
        let described = header.named(&header.found(Vec::new()));
        let unknown = || Error::InvalidArgument(format!("{}: elements of its type have no name here", target()));
        let described = described.ok_or_else(unknown)?;
        let mut batch = TableBatch::begin(None);
        let elements = described.elements(elements).map_err(|error| named(error, &place))?;
        let storage = described.storage(described.key_types()?.len());
        batch.change_elements(change, table, &place, set, None, &elements, storage, false);
        let request = match change {
            ElementChange::Add => "NFT_MSG_NEWSETELEM",
            ElementChange::Delete => "NFT_MSG_DELSETELEM",
        };
        self.commit(batch.end()?, request, table).await
    }

    /// Adds to an error what exists, if a table or its set does not.
    async fn explained(&self, error: Error, table: &TableRef, set: Option<&str>) -> Error {
        if error.errno() != Some(Errno::ENOENT) {
            return error;
        }
        let hint = self.missing(table, set).await;
        // Without an answer, the first error has more to say.
        match hint.ok().flatten() {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    async fn missing(&self, table: &TableRef, set: Option<&str>) -> Answer<Option<String>> {
        let tables = self.dump(message::about_all(kind::GET_TABLE), read::table).await?;
        if !tables.iter().any(|found| found.table == *table) {
            let name = |TableRef { family, name }: &TableRef| format!("{} {name}", family.name());
            let known: Vec<_> = tables.iter().map(|found| name(&found.table)).collect();
            return Ok(Some(missing::hint("table", &name(table), &known)));
        }
        let Some(set) = set else { return Ok(None) };
        let headers = self.set_headers(table).await?;
        let known: Vec<_> = headers.into_iter().filter(SetHeader::has_name).map(|header| header.name).collect();
        Ok(Some(missing::hint("set", set, &known)))
    }

    async fn rules(&self, table: &TableRef) -> Answer<Vec<read::FoundRule>> {
        let question = message::about(kind::GET_RULE, table.family, |writer| {
            writer.put_text(message::rule::TABLE, &table.name);
        });
        self.dump(question, |message| read::rule(message).map(Some)).await
    }

    async fn set_headers(&self, table: &TableRef) -> Answer<Vec<SetHeader>> {
        let question = message::about(kind::GET_SET, table.family, |writer| {
            writer.put_text(message::set::TABLE, &table.name);
        });
        self.dump(question, |message| read::set(message).map(Some)).await
    }

    async fn objects(&self, table: &TableRef) -> Answer<Vec<FoundObject>> {
        let question = message::about(kind::GET_OBJECT, table.family, |writer| {
            writer.put_text(message::object::TABLE, &table.name);
        });
        self.dump(question, |message| read::object(message).map(Some)).await
    }

    async fn commit(&self, mut batch: TableBatch, request: &'static str, table: &TableRef) -> Result<()> {
        let size = batch.batch.size();
        let Err(refusal) = self.conversation.commit(&mut batch.batch).await else { return Ok(()) };
        let Refusal { number, offset, error } = refusal;
        if error.errno == Errno::EMSGSIZE {
            return Err(too_large(error, request, table, size));
        }
        let attributes = batch.batch.attributes(number);
        let place = batch.places.get(number).map(|place| place.at(attributes, offset)).unwrap_or_default();
        let target = if place.is_empty() { table.to_string() } else { format!("{table}, {place}") };
        let hint = hint(error.errno, batch.places.get(number));
        let error = error.of(request, target);
        Err(match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        })
    }

    /// Reads tables, again if another program changes tables meanwhile. Returns their generation, too.
    async fn unchanged(&self, wanted: Option<&TableRef>) -> Answer<(Vec<Existing>, u32)> {
        for _ in 0..ATTEMPTS {
            let generation = self.generation().await?;
            let tables = self.tables(wanted).await;
            if self.generation().await? == generation {
                return Ok((tables?, generation));
            }
        }
        Err(Errno::EAGAIN.into())
    }

    async fn generation(&self) -> Answer<u32> {
        let question = message::about_all(kind::GET_GENERATION);
        self.conversation.get(Request::act(question), read::generation).await
    }

    async fn tables(&self, wanted: Option<&TableRef>) -> Answer<Vec<Existing>> {
        let found = match wanted {
            Some(table) => vec![self.table(table).await?],
            None => self.dump(message::about_all(kind::GET_TABLE), read::table).await?,
        };
        let mut tables = Vec::new();
        for table in found {
            tables.push(self.content(table).await?);
        }
        Ok(tables)
    }

    async fn table(&self, table: &TableRef) -> Answer<FoundTable> {
        let question = message::about(kind::GET_TABLE, table.family, |writer| {
            writer.put_text(message::table::NAME, &table.name);
        });
        let found = self.conversation.get(Request::act(question), read::table).await?;
        found.ok_or_else(|| Malformed.into())
    }

    async fn content(&self, found: FoundTable) -> Answer<Existing> {
        let reference = &found.table;
        let chains = message::about(kind::GET_CHAIN, reference.family, |_| {});
        let mut chains = self.dump(chains, |message| read::chain(message, reference)).await?;
        let rules = self.rules(reference).await?;
        let headers = self.set_headers(reference).await?;
        let objects = self.objects(reference).await?;
        let sets = self.sets(reference, &headers).await?;
        let mut handles = vec![Vec::new(); chains.len()];
        for rule in rules {
            let statements = rule.statements(reference.family, &sets)?;
            let number = chains.iter().position(|(name, _)| *name == rule.chain);
            let chain = number.and_then(|number| Some((chains.get_mut(number)?, handles.get_mut(number)?)));
            if let Some(((_, chain), handles)) = chain {
                chain.rules.push(statements);
                handles.push(rule.handle);
            }
        }
        let with_names =
            headers.iter().filter(|header| sets.get(&header.name).is_some_and(|found| !found.is_anonymous));
        let count = with_names.clone().count();
        let named = with_names.filter_map(|header| {
            let found = sets.get(&header.name)?;
            Some((header.name.clone(), header.named(found)?))
        });
        let flow_tables = self.flow_tables(reference).await?;
        let count_of_flow_tables = flow_tables.len();
        let mut table = Table {
            sets: named.collect(),
            chains,
            family: reference.family,
            name: reference.name.clone(),
            dormant: found.is_dormant,
            comment: found.comment,
            flow_tables: flow_tables.into_iter().flatten().collect(),
            ..Table::default()
        };
        let count_of_objects = objects.len();
        for object in objects {
            table.add_object(object)?;
        }
        let is_whole = table.sets.len() == count
            && table.objects().count() == count_of_objects
            && table.flow_tables.len() == count_of_flow_tables;
        Ok(Existing { table, handles, is_whole })
    }

    /// Returns the flow tables, with `None` for each that has no name here.
    async fn flow_tables(&self, table: &TableRef) -> Answer<Vec<Option<(String, FlowTable)>>> {
        let question = message::about(kind::GET_FLOW_TABLE, table.family, |writer| {
            writer.put_text(message::flow_table::TABLE, &table.name);
        });
        self.dump(question, |message| FlowTable::read(message).map(Some)).await
    }

    /// Reads the elements of sets.
    async fn sets(&self, table: &TableRef, headers: &[SetHeader]) -> Answer<Found> {
        let mut found = Found::new();
        for header in headers {
            let question = message::about(kind::GET_ELEMENTS, table.family, |writer| {
                writer.put_text(message::elements::TABLE, &table.name);
                writer.put_text(message::elements::SET, &header.name);
            });
            let elements = self.dump(question, |message| read::elements(message).map(Some)).await?;
            found.insert(header.name.clone(), header.found(elements.into_iter().flatten().collect()));
        }
        Ok(found)
    }

    async fn dump<T: Send>(
        &self,
        question: impl NetlinkSerializable,
        read: impl Fn(&[u8]) -> std::result::Result<Option<T>, Malformed> + Sync,
    ) -> Answer<Vec<T>> {
        self.conversation.dump(Request::dump(question), read).await
    }
}

/// Returns what the user can do about a part of a table that the kernel refused.
fn hint(errno: Errno, place: Option<&Place>) -> Option<String> {
    let hint = match (errno, place?) {
        (Errno::ENOENT, Place::Object(ObjectPlace { module: Some(module), .. })) => {
            return Some(format!("the kernel has no such helper; load the module {module}, if there is one"));
        }
        (Errno::ENOENT | Errno::EINVAL | Errno::EOPNOTSUPP, Place::Object(ObjectPlace { list: "secmarks", .. })) => {
            Some("the security module of the kernel does not have this context")
        }
        (Errno::ENOENT | Errno::EOPNOTSUPP, Place::FlowTable(_)) => {
            Some("the kernel has no flow tables in this family, or no such link; load the module nf_flow_table_inet")
        }
        (Errno::EPERM, _) => Some(
            "changing a network needs CAP_NET_ADMIN in the user namespace that owns it; a table that another program owns can only be \
             changed by that program",
        ),
        (Errno::ENOENT | Errno::EINVAL, Place::Rule(rule)) if rule.is_raw => Some(
            "a raw rule can be added again as `get` returned it, on a kernel that has its expressions, and if it looks up no anonymous \
             set",
        ),
        (Errno::ENOENT, Place::Rule(_)) => Some(
            "the kernel has no such statement in this family, or no such set or chain; load the module of the statement, such as \
             nft_masq, if there is one",
        ),
        (Errno::ENOENT, Place::Chain(_)) => {
            Some("the kernel has no such type of chain in this family; load the module nft_chain_nat")
        }
        (Errno::EOPNOTSUPP, Place::Rule(_)) => {
            Some("the statement is not possible at this hook, in a chain of this type, or in this family")
        }
        (Errno::EOPNOTSUPP, Place::Chain(_)) => Some("this family has no such type of chain at this hook"),
        (Errno::ENOENT, Place::Table | Place::Batch) => Some("no such table"),
        (Errno::ENOENT, Place::Set(_)) => Some("the set does not have that element"),
        (Errno::EEXIST, Place::Set(_)) => Some("elements of a set must differ, and intervals must not overlap"),
        _ => None,
    };
    hint.map(str::to_owned)
}

/// A batch is one message, which must fit into the buffer of a socket.
fn too_large(error: NetlinkError, request: &'static str, table: &TableRef, size: usize) -> Error {
    let hint = format!(
        "the table has {size} bytes in the kernel's format, and must fit into one message; without CAP_NET_ADMIN in the first \
         user namespace, a message has at most twice net.core.wmem_max: put addresses and ports that many rules compare into sets"
    );
    error.of(request, table).with_hint(hint)
}

impl std::fmt::Display for TableRef {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "'{} {}'", self.family.name(), self.name)
    }
}
