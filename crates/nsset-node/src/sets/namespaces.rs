//! The search for namespaces.

use std::mem;

use napi::{
    Env, Result,
    bindgen_prelude::{BigInt, BigUint64Array},
};
use napi_derive::napi;
use nsset::{Discovery, Error, Found, Kinds, Search};
use serde::Serialize;

use crate::{
    convert::optional_kinds,
    deferred::Promise,
    failure::guard,
    sets::set::{NativeSet, only},
    sets::work,
};

/// The namespaces that were found, and how to open them.
#[napi]
pub struct NativeNamespaces {
    discovery: Discovery,
    facts: Vec<u64>,
}

/// How many numbers `facts` has for each namespace.
const COLUMNS: usize = 6;

#[napi]
impl NativeNamespaces {
    /// Returns six numbers for each namespace: the flag of its kind, its inode number, its unique id, the inode numbers of its
    /// owner and of its parent, and the uid of its owner plus one. 0 is for what is not known. The second call returns nothing.
    #[napi(catch_unwind)]
    pub fn facts(&mut self) -> BigUint64Array {
        mem::take(&mut self.facts).into()
    }

    /// Returns what could not be seen, as JSON.
    #[napi(catch_unwind)]
    pub fn incomplete(&self, env: Env) -> Result<String> {
        guard(env, || json(&self.discovery.incomplete))
    }

    /// Returns the processes as JSON.
    #[napi(catch_unwind)]
    pub fn processes(&self, env: Env) -> Result<String> {
        guard(env, || json(&self.discovery.processes))
    }

    /// Returns what holds the namespace with this index in the lists, as JSON: pids of processes in it, and others.
    #[napi(catch_unwind)]
    pub fn holders(&self, env: Env, index: u32) -> Result<String> {
        guard(env, || {
            let found = self.discovery.namespaces.get(index as usize);
            json(&found.map(|found| (&found.processes, &found.holders)))
        })
    }

    /// Opens the namespace with this index in the lists.
    #[napi(catch_unwind)]
    pub fn open(&self, env: Env, index: u32) -> Result<NativeSet> {
        guard(env, || self.discovery.open(index as usize).map(NativeSet::from))
    }
}

/// Finds the namespaces of these kinds, on another thread.
#[napi(catch_unwind, ts_return_type = "Promise<NativeNamespaces>")]
pub fn namespaces(env: Env, kinds: u32, holders: bool) -> Result<Promise<NativeNamespaces>> {
    let kinds = guard(env, || optional_kinds(kinds))?.unwrap_or(Kinds::ALL);
    work::run_on_files(env, move || {
        let discovery = nsset::discover(Search { kinds, holders })?;
        let facts = discovery.namespaces.iter().flat_map(facts_of).collect();
        Ok(NativeNamespaces { discovery, facts })
    })
}

fn facts_of(found: &Found) -> [u64; COLUMNS] {
    let flag = u64::from(found.kind.flag());
    let number = Option::unwrap_or_default;
    let uid = found.owner_uid.map(|uid| u64::from(uid) + 1);
    [flag, found.inode, number(found.unique_id), number(found.owner), number(found.parent), number(uid)]
}

fn json(value: &impl Serialize) -> nsset::Result<String> {
    serde_json::to_string(value).map_err(|error| Error::InvalidArgument(error.to_string()))
}

/// Opens a namespace by its unique id.
#[napi(catch_unwind, ts_return_type = "Promise<NativeSet>")]
pub fn from_id(env: Env, id: BigInt, kind: u32) -> Result<Promise<NativeSet>> {
    let (id, kind) = guard(env, || Ok((id.get_u64().1, only(kind)?)))?;
    work::run_on_files(env, move || nsset::from_id(id, kind).map(NativeSet::from))
}

/// Opens the network of a socket.
#[napi(catch_unwind)]
pub fn from_socket(env: Env, fd: i32) -> Result<NativeSet> {
    guard(env, || nsset::from_socket(fd).map(NativeSet::from))
}

#[napi]
impl NativeSet {
    /// Returns the unique id of the namespace of a kind, or null before Linux 6.18.
    #[napi(catch_unwind)]
    pub fn unique_id(&self, env: Env, kind: u32) -> Result<Option<BigInt>> {
        self.with(env, |set| Ok(set.get(only(kind)?)?.unique_id().map(BigInt::from)))
    }

    /// Returns a set of these kinds of this set, and of these kinds of another one.
    #[napi(catch_unwind)]
    pub fn join(&self, env: Env, kinds: u32, other: &NativeSet, others: u32) -> Result<NativeSet> {
        self.with(env, |set| {
            let of = |set: &nsset::NamespaceSet, kinds| set.narrow(crate::convert::kinds_of(set, kinds)?);
            Ok(of(set, kinds)?.or(&of(&*other.open()?, others)?).into())
        })
    }
}
