//! Hides a path, as `maskedPaths` of the OCI runtime specification: a directory becomes an empty one that is read-only,
//! and any other file becomes /dev/null.

use crate::{
    arguments::Arguments,
    protocol::About,
    state::State,
    syscall::{self, ENOENT, Errno, FileType},
    view::mounts::{attach, attach_held},
    view::new_file_system::{self, NODEV, NOEXEC, NOSUID, RDONLY},
    view::targets::open_target,
};

/// A target that is missing is hidden already.
pub fn mount(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let target = match open_target(arguments.text()?, state) {
        Err(ENOENT) => return Ok(()),
        target => target?,
    };
    let tree = match syscall::type_of(target)? {
        FileType::Directory => return hide_directory(target, state),
        FileType::Other => {
            state.report.about = About::Source;
            let tree = syscall::open_tree(c"/dev/null", false)?;
            state.report.about = About::Target;
            tree
        }
    };
    attach(tree, target, state)
}

/// All hidden directories show the same empty directory: a new file system costs as much as ten binds.
fn hide_directory(target: i32, state: &mut State) -> Result<(), Errno> {
    if let Some(empty) = state.empty_directory {
        return attach(syscall::open_tree_without_mounts(empty)?, target, state);
    }
    let options = [(c"source", c"tmpfs"), (c"mode", c"0555")];
    let tree = new_file_system::make(c"tmpfs", &options, RDONLY | NOSUID | NODEV | NOEXEC)?;
    attach_held(tree, target, state)?;
    // Before Linux 6.15, only what is attached can be cloned.
    state.empty_directory = Some(tree);
    Ok(())
}
