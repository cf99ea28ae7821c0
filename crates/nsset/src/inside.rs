//! The two ways into a set's network namespace: the calling thread's, of some microseconds, and the helper's.

use crate::{
    error::{Error, Result},
    kind::{Kind, Kinds},
    plan,
    program::Program,
    set::NamespaceSet,
    thread::{self, Visit},
};

/// Goes in with the calling thread, where nothing but `net` has to be joined and the thread may go there and come back.
/// `None` where it takes the helper; the thread is where it was then.
pub fn visit(set: &NamespaceSet, kinds: Kinds) -> Result<Option<Visit>> {
    thread::ensure_restored()?;
    set.get(Kind::Net)?;
    if !plan::foreign(set, kinds.only(Kind::User)).is_empty() {
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
        program.somebody();
    }
    Ok(program)
}
