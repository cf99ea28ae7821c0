//! Lets a thread that is about to be started enter a set for good. The thread that starts it stores the set here, and
//! the new thread takes it once. So only a number has to be passed between the two.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    thread::Builder,
};

use nix::errno::Errno;

use crate::{
    error::{Error, Result, SystemError, last_errno},
    kind::Kinds,
    namespaces::set::NamespaceSet,
    threads::thread,
};

#[derive(Default)]
struct Admissions {
    last: u32,
    open: BTreeMap<u32, (NamespaceSet, Kinds)>,
}

static ADMISSIONS: Mutex<Admissions> = Mutex::new(Admissions { last: 0, open: BTreeMap::new() });

/// A set stored for a thread. Dropping it removes the set, if the thread has not taken it.
#[derive(Debug)]
pub struct Admission {
    ticket: u32,
}

impl Admission {
    /// The argument of [`enter`].
    pub const fn ticket(&self) -> u32 {
        self.ticket
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        admissions().open.remove(&self.ticket);
    }
}

/// Stores the set for a thread that the caller is about to start, after a thread of the same origin has entered it as a
/// trial.
pub fn admit(set: &NamespaceSet, kinds: Kinds) -> Result<Admission> {
    let set = set.narrow(kinds)?;
    try_out(set.clone(), kinds)?;
    let mut admissions = admissions();
    admissions.last = admissions.last.wrapping_add(1);
    let ticket = admissions.last;
    admissions.open.insert(ticket, (set, kinds));
    Ok(Admission { ticket })
}

/// Takes a stored set, and enters it with the calling thread for good.
pub fn enter(ticket: u32) -> Result<()> {
    let admitted = admissions().open.remove(&ticket);
    let (set, kinds) = admitted
        .ok_or_else(|| Error::InvalidArgument("there is no such admission: it was used or withdrawn".into()))?;
    thread::enter(&set, kinds)
}

fn admissions() -> MutexGuard<'static, Admissions> {
    ADMISSIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Enters with a thread that ends at once, so that an error is known before the caller starts its thread.
fn try_out(set: NamespaceSet, kinds: Kinds) -> Result<()> {
    let trial = Builder::new().spawn(move || thread::enter(&set, kinds));
    let trial = trial.map_err(|error| SystemError::new(last_errno(&error), "clone"))?;
    trial.join().unwrap_or_else(|_| Err(SystemError::new(Errno::ECANCELED, "clone").into()))
}
