//! Helpers that stay in a network and wait for more to do there (decision 0024).
//!
//! A thread of Node.js cannot enter the network of a set with a `user` namespace, so the helper makes its sockets. The
//! first helper stays, and later ones are not started. Each does one thing at a time: if others are needed meanwhile, more of
//! them stay. They end when they have waited for some time, or when the last set with this network is closed.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use nix::unistd::Pid;

use crate::{
    error::Result,
    helper::idle::waiting::{Started, Waiting},
    helper::program::Program,
    helper::supervisor::{self, Outcome},
    namespaces::namespace::{Namespace, NamespaceId},
    threads::placement::Follower,
    threads::rights::Rights,
};

/// How long one waits before it ends.
const IDLE: Duration = Duration::from_secs(2);

/// The residents of one network.
#[derive(Debug, Default)]
struct Residents(Arc<Mutex<Vec<Resident>>>);

#[derive(Debug)]
struct Resident {
    place: Place,
    helper: Waiting,
    follower: Follower,
}

/// Where a resident is, and what the kernel allows it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    user: NamespaceId,
    rights: Rights,
}

impl Place {
    /// For a helper that the calling thread starts, in this user namespace. `None` if the kernel does not tell the rights.
    pub fn within(user: NamespaceId) -> Option<Self> {
        Some(Self { user, rights: Rights::here()? })
    }
}

/// Runs steps in a place in this network, where a helper stays. `enter` writes the steps that lead there.
///
/// The steps may be run twice, if a helper that has waited is killed while it runs them.
pub fn run<'fd>(
    network: &Namespace,
    place: &Place,
    enter: impl FnOnce() -> Result<Program<'fd>>,
    steps: impl Fn(&mut Program<'fd>) -> Result<()>,
) -> Result<(Outcome, Follower)> {
    let residents = network.companion::<Residents>();
    while let Some((helper, mut follower)) = residents.and_then(|residents| residents.take(place)) {
        let mut program = Program::new();
        steps(&mut program)?;
        program.stay(IDLE)?;
        follower.bring_here(Pid::from_raw(helper.process.pid));
        if let Some(outcome) = supervisor::resume(helper, &program)? {
            return Ok((outcome, follower));
        }
    }
    let mut program = enter()?;
    steps(&mut program)?;
    program.stay(IDLE)?;
    Ok((supervisor::run(&program, &[], None, &mut |_| Ok(()))?, Follower::new()))
}

/// Keeps a helper that [`run`] has used.
pub fn keep(network: &Namespace, place: Place, helper: Started, follower: Follower) {
    match network.companion::<Residents>() {
        Some(residents) => residents.add(place, helper, follower),
        None => helper.discard(),
    }
}

impl Residents {
    fn take(&self, place: &Place) -> Option<(Started, Follower)> {
        loop {
            let resident = {
                let mut all = lock(&self.0);
                let index = all.iter().rposition(|resident| resident.place == *place)?;
                all.remove(index)
            };
            // One that has ended is of no use.
            if let Some(helper) = resident.helper.release() {
                return Some((helper, resident.follower));
            }
        }
    }

    fn add(&self, place: Place, helper: Started, follower: Follower) {
        let pid = helper.process.pid;
        let others = Arc::downgrade(&self.0);
        let forget = move || {
            if let Some(all) = others.upgrade() {
                lock(&all).retain(|resident| resident.helper.pid() != pid);
            }
        };
        // The lock is held, so that the helper is in the list before it can be removed from it.
        let mut all = lock(&self.0);
        all.push(Resident { place, helper: Waiting::new(helper, IDLE, forget), follower });
    }
}

fn lock(residents: &Mutex<Vec<Resident>>) -> MutexGuard<'_, Vec<Resident>> {
    residents.lock().unwrap_or_else(PoisonError::into_inner)
}
