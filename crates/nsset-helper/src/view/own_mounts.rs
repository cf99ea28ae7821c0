//! A mount namespace of a program's own, in which it sees what belongs to a network by its name: ip-netns(8), "exec".

use crate::{
    arguments::Arguments,
    protocol::About,
    state::State,
    syscall::{self, AT_FDCWD, CLONE_NEWNS, EACCES, ENODEV, ENOENT, ENOSYS, EPERM, Errno, O_NOFOLLOW, O_PATH},
};

/// Goes on in a copy of the mount namespace. What is mounted and unmounted in the first one later is so in the copy, too, and
/// never the other way round.
pub fn make(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    const MS_REC: usize = 0x4000;
    const MS_SLAVE: usize = 0x8_0000;
    let is_required = arguments.number()? != 0;
    match syscall::unshare(CLONE_NEWNS) {
        Err(errno) if !is_required && is_refusal(errno) => {
            state.is_without_own_mounts = true;
            Ok(())
        }
        Err(errno) => Err(errno),
        Ok(_) => syscall::propagate(MS_REC | MS_SLAVE).map(drop),
    }
}

/// Binds a file or directory over another one. A symbolic link is covered itself: what it leads to may be missing, or be
/// replaced by another file that is not covered.
pub fn cover(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let is_required = arguments.number()? != 0;
    let (source, target) = (arguments.text()?, arguments.text()?);
    if state.is_without_own_mounts {
        return Ok(());
    }
    let target = match syscall::open(AT_FDCWD, target, O_PATH | O_NOFOLLOW) {
        Err(ENOENT) => return Ok(()),
        other => other?,
    };
    state.report.about = About::Source;
    let outcome = syscall::open_tree(source, true).and_then(|tree| {
        state.report.about = About::Target;
        let outcome = syscall::move_mount(tree, target);
        syscall::close(tree);
        outcome
    });
    syscall::close(target);
    match outcome {
        // It was removed meanwhile, or is a link that leads nowhere.
        Err(ENOENT) => Ok(()),
        outcome => unless_refused(outcome.map(drop), is_required),
    }
}

/// The outcome, unless the kernel refused something that was not required.
pub fn unless_refused(outcome: Result<(), Errno>, is_required: bool) -> Result<(), Errno> {
    match outcome {
        Err(errno) if !is_required && is_refusal(errno) => Ok(()),
        outcome => outcome,
    }
}

/// Whether this is what the kernel, one of its security modules or a filter says to who may not do it, or where there is no
/// such file system.
const fn is_refusal(errno: Errno) -> bool {
    matches!(errno, EPERM | EACCES | ENODEV | ENOSYS)
}
