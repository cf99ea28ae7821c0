//! A mount namespace for one program, which shows the program the files and the sysfs of a named network: ip-netns(8),
//! "exec".

use crate::{
    arguments::Arguments,
    protocol::About,
    state::State,
    syscall::{self, AT_FDCWD, CLONE_NEWNS, EACCES, ENODEV, ENOENT, ENOSYS, EPERM, Errno, O_NOFOLLOW, O_PATH},
};

/// Continues in a copy of the mount namespace. Later mounts and unmounts in the original also happen in the copy, but
/// not in reverse.
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

/// Binds a file or directory over another one. A symbolic link is covered itself, because its target may be missing, or
/// may be replaced by a file that is not covered.
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
        // It was removed meanwhile, or is a dangling symbolic link.
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

/// Whether the kernel, one of its security modules or a filter returns this error if the caller lacks the permission,
/// or if the kernel lacks the file system.
const fn is_refusal(errno: Errno) -> bool {
    matches!(errno, EPERM | EACCES | ENODEV | ENOSYS)
}
