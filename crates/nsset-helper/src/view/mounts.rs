//! Mounts of a new mount namespace. They use descriptors only: no path is looked up twice, and with a root directory of
//! the set no symbolic link in it leads out of it (openat2(2), mount_setattr(2), fsopen(2)).

use core::ffi::CStr;

use crate::{
    arguments::Arguments,
    protocol::About,
    state::State,
    syscall::{self, AT_FDCWD, Errno, O_DIRECTORY, O_PATH},
};

/// Makes `directory` a mount point, which pivot_root(2) requires, and resolves later targets below it.
pub fn root(directory: &'static CStr, state: &mut State) -> Result<(), Errno> {
    let target = syscall::open(AT_FDCWD, directory, O_PATH | O_DIRECTORY)?;
    let tree = syscall::open_tree_of(target)?;
    syscall::move_mount(tree, target)?;
    syscall::close(target);
    state.root = Some(tree);
    Ok(())
}

/// Binds a file or directory. Its attributes are set before it becomes visible.
pub fn bind(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let source = arguments.text()?;
    let target = arguments.text()?;
    let attributes = arguments.number()?;
    let recursive = arguments.number()? != 0;
    state.report.about = About::Source;
    let tree = syscall::open_tree(source, recursive)?;
    state.report.about = About::Target;
    if attributes != 0 {
        syscall::add_mount_attributes(tree, attributes, recursive)?;
    }
    attach(tree, target, state)
}

pub fn mount(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let fs = syscall::fsopen(arguments.text()?)?;
    let source = arguments.text()?;
    let target = arguments.text()?;
    let attributes = arguments.number()?;
    if !source.is_empty() {
        syscall::fsconfig_option(fs, c"source", source)?;
    }
    for _ in 0..arguments.number()? {
        syscall::fsconfig_option(fs, arguments.text()?, arguments.text()?)?;
    }
    syscall::fsconfig_create(fs)?;
    let tree = syscall::fsmount(fs, attributes)?;
    syscall::close(fs);
    attach(tree, target, state)
}

fn attach(tree: i32, target: &CStr, state: &mut State) -> Result<(), Errno> {
    let target = open_target(target, state)?;
    syscall::move_mount(tree, target)?;
    syscall::close(target);
    syscall::close(tree);
    if state.root.is_none() && !state.is_root_covered {
        state.is_root_covered = syscall::mount_id(c"/..")? != syscall::mount_id(c"/")?;
    }
    Ok(())
}

/// Opens a target as a process inside will find it: on top of earlier mounts on the root directory.
pub fn open_target(target: &CStr, state: &State) -> Result<i32, Errno> {
    let Some(top) = open_top(state)? else { return syscall::open(AT_FDCWD, target, O_PATH) };
    let target = syscall::open_in_root(top, target);
    syscall::close(top);
    target
}

/// The topmost mount on the root directory that the namespace will have; `None` if that is the one of the helper. A
/// path lookup crosses the mounts on a directory when it enters the directory, and `..` of the root directory enters it
/// again (path_resolution(7)).
fn open_top(state: &State) -> Result<Option<i32>, Errno> {
    match state.root {
        Some(root) => syscall::open_in_root(root, c"..").map(Some),
        None if state.is_root_covered => syscall::open(AT_FDCWD, c"/..", O_PATH | O_DIRECTORY).map(Some),
        None => Ok(None),
    }
}

/// Makes the directory of `root` the root directory of all processes in the mount namespace, and unmounts the old one.
pub fn pivot(state: &mut State) -> Result<(), Errno> {
    let Some(top) = open_top(state)? else { return Ok(()) };
    syscall::fchdir(top)?;
    syscall::close(top);
    if let Some(root) = state.root.take() {
        syscall::close(root);
    }
    syscall::pivot_to_working_directory()?;
    syscall::detach_working_directory_mount()?;
    syscall::chdir(c"/").map(drop)
}
