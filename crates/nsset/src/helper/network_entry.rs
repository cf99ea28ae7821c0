//! The two ways into the network namespace of a set: by the calling thread, in some microseconds, and by the helper.

use std::os::fd::OwnedFd;

use crate::{
    error::{Error, Result},
    helper::idle::residents::{self, Place},
    helper::joining,
    helper::program::Program,
    helper::supervisor::{self, Outcome},
    kind::{Kind, Kinds},
    namespaces::set::NamespaceSet,
    threads::thread::{self, Visit},
};

/// Whether entering the network of the set needs the helper, which processes inside may delay. It does if the set has,
/// among these kinds, a `user` namespace that the thread is not in.
pub fn takes_helper(set: &NamespaceSet, kinds: Kinds) -> bool {
    !joining::foreign(set, kinds.only(Kind::User)).is_empty()
}

/// Enters with the calling thread, if it only has to join `net` and can come back. Returns `None` if the helper is
/// needed; the thread is then where it was.
pub fn visit(set: &NamespaceSet, kinds: Kinds) -> Result<Option<Visit>> {
    thread::ensure_restored()?;
    set.get(Kind::Net)?;
    if takes_helper(set, kinds) {
        return Ok(None);
    }
    match thread::visit(set, Kinds::NONE.with(Kind::Net)) {
        Ok(visit) => Ok(Some(visit)),
        Err(error @ (Error::Restore { .. } | Error::Tainted { .. })) => Err(error),
        // The helper need not come back. If the kernel refuses the helper as well, its error describes the set.
        Err(_) => Ok(None),
    }
}

/// What a helper has found or made inside.
#[derive(Debug)]
pub struct Answer {
    pub socket: Option<OwnedFd>,
    pub content: Option<Vec<u8>>,
}

/// Has a helper run steps in the network, and in the `user` namespace of the set if that is one of these kinds. There a
/// helper stays for the next call.
///
/// The steps may be run twice, if a process kills the helper.
pub fn run<'fd>(set: &NamespaceSet, kinds: Kinds, steps: impl Fn(&mut Program<'fd>) -> Result<()>) -> Result<Answer> {
    let network = set.get(Kind::Net)?;
    let user = set.find(Kind::User).filter(|_| takes_helper(set, kinds));
    let Some(place) = user.and_then(|user| Place::within(user.id())) else {
        let mut program = program(set, kinds)?;
        steps(&mut program)?;
        let Outcome { socket, content, helper, .. } = supervisor::run(&program, &[], None, &mut |_| Ok(()))?;
        supervisor::dismiss(helper.process);
        return Ok(Answer { socket, content });
    };
    let (outcome, follower) = residents::run(network, &place, || program(set, kinds), steps)?;
    residents::keep(network, place, outcome.helper, follower);
    Ok(Answer { socket: outcome.socket, content: outcome.content })
}

/// A program that enters.
fn program<'fd>(set: &NamespaceSet, kinds: Kinds) -> Result<Program<'fd>> {
    let mut program = Program::new();
    let joined = joining::enter(&mut program, set, kinds.only(Kind::User).with(Kind::Net))?;
    if joined.contains(Kind::User) {
        program.mapped_ids();
    }
    Ok(program)
}
