//! A small file as it is inside: in the set's mount namespace.

use std::path::Path;

use nix::errno::Errno;

use crate::{
    conversation,
    error::{Error, Result, SystemError},
    kind::{Kind, Kinds},
    plan, proc,
    program::{Label, Program},
    set::NamespaceSet,
};

/// What a file of at most 64 KiB holds, found by its absolute path in the set's mount namespace. It takes the helper: a
/// thread of Node cannot go there and come back.
///
/// ```no_run
/// # fn main() -> nsset::Result<()> {
/// use nsset::{Kinds, from_pid, read_file};
///
/// let set = from_pid(1, None)?;
/// let hosts = read_file(&set, Kinds::ALL, "/etc/hosts".as_ref())?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::NotInSet`] without `mnt`, [`Error::InvalidArgument`] for a path that is not absolute, and [`Error::System`] with
/// what open(2) and read(2) say.
pub fn read_file(set: &NamespaceSet, kinds: Kinds, path: &Path) -> Result<Vec<u8>> {
    set.get(Kind::Mnt)?;
    if !path.is_absolute() {
        return Err(Error::InvalidArgument(format!("the path has to be absolute: {}", path.display())));
    }
    let mut program = Program::new();
    let joined = plan::go_inside(&mut program, set, kinds.only(Kind::User).with(Kind::Mnt))?;
    if joined.contains(Kind::User) {
        program.somebody();
    }
    let label = Label { kind: Some(Kind::Mnt), path: Some(path.to_owned()), ..Label::new("read") };
    // The directory counts for paths that are not absolute only (openat(2)).
    program.read_file(proc::hold()?, path, label)?;
    let outcome = conversation::run(&program, &[], None, &mut |_| Ok(()))?;
    conversation::dismiss(outcome.process);
    outcome.content.ok_or_else(|| SystemError::new(Errno::EPROTO, "recvmsg").into())
}
