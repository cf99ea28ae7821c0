//! The two ways into a set's network namespace: the calling thread's, of some microseconds, and the helper's.

use crate::{
    error::{Error, Result},
    helper::plan,
    helper::program::Program,
    kind::{Kind, Kinds},
    namespaces::set::NamespaceSet,
    threads::thread::{self, Visit},
};

/// Whether the way into the set's network takes the helper, which those inside may hold up: where it leads through a `user`
/// namespace that the thread does not stand in, among these kinds of the set.
pub fn takes_helper(set: &NamespaceSet, kinds: Kinds) -> bool {
    !plan::foreign(set, kinds.only(Kind::User)).is_empty()
}

/// Goes in with the calling thread, where nothing but `net` has to be joined and the thread may go there and come back.
/// `None` where it takes the helper; the thread is where it was then.
pub fn visit(set: &NamespaceSet, kinds: Kinds) -> Result<Option<Visit>> {
    thread::ensure_restored()?;
    set.get(Kind::Net)?;
    if takes_helper(set, kinds) {
        return Ok(None);
    }
    match thread::visit(set, Kinds::NONE.with(Kind::Net)) {
        Ok(visit) => Ok(Some(visit)),
        Err(error @ (Error::Restore { .. } | Error::Tainted { .. })) => Err(error),
        // The helper need not come back. Where it is refused as well, it says so in terms of the set.
        Err(_) => Ok(None),
    }
}

/// A program that goes in, and into the set's `user` where that is one of these kinds.
pub fn program(set: &NamespaceSet, kinds: Kinds) -> Result<Program<'static>> {
    let mut program = Program::new();
    let joined = plan::go_inside(&mut program, set, kinds.only(Kind::User).with(Kind::Net))?;
    if joined.contains(Kind::User) {
        program.mapped_ids();
    }
    Ok(program)
}
