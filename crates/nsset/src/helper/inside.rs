//! The two ways into the network namespace of a set: by the calling thread, in some microseconds, and by the helper.

use crate::{
    error::{Error, Result},
    helper::plan,
    helper::program::Program,
    kind::{Kind, Kinds},
    namespaces::set::NamespaceSet,
    threads::thread::{self, Visit},
};

/// Whether entering the network of the set needs the helper, which processes inside may delay. It does if the set has,
/// among these kinds, a `user` namespace that the thread is not in.
pub fn takes_helper(set: &NamespaceSet, kinds: Kinds) -> bool {
    !plan::foreign(set, kinds.only(Kind::User)).is_empty()
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

/// A program that enters the network, and the `user` namespace of the set if that is one of these kinds.
pub fn program(set: &NamespaceSet, kinds: Kinds) -> Result<Program<'static>> {
    let mut program = Program::new();
    let joined = plan::enter(&mut program, set, kinds.only(Kind::User).with(Kind::Net))?;
    if joined.contains(Kind::User) {
        program.mapped_ids();
    }
    Ok(program)
}
