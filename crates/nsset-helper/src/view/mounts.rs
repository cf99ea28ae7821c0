//! Mounts of a new mount namespace. They use descriptors only: no path is looked up twice, and with a root directory of
//! the set no symbolic link in it leads out of it (openat2(2), mount_setattr(2), fsopen(2)).

use core::ffi::CStr;

use crate::{
    arguments::Arguments,
    protocol::{About, flag},
    state::State,
    syscall::{self, AT_FDCWD, ENOENT, Errno, FileType, O_DIRECTORY, O_PATH, Propagation},
    view::new_file_system::{self, NODEV, NOSUID, RDONLY},
    view::own_file_systems,
    view::targets::{open_or_make, open_top},
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

/// Mounts a tmpfs on the root directory, for the same purpose. Sources are found below it nevertheless, because a lookup
/// begins in the root directory of the process, and not in what is mounted on it. A bind of the old root directory does
/// not take it along.
pub fn root_tmpfs(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let fs = syscall::fsopen(c"tmpfs")?;
    state.report.file_system = Some(fs);
    new_file_system::set_options(fs, arguments)?;
    let tree = new_file_system::finish(fs, NOSUID | NODEV)?;
    state.report.file_system = None;
    let target = syscall::open(AT_FDCWD, c"/", O_PATH | O_DIRECTORY)?;
    syscall::move_mount(tree, target)?;
    syscall::close(target);
    syscall::set_propagation(tree, Propagation::Unbindable)?;
    own_file_systems::add(tree)?;
    state.root = Some(tree);
    state.is_root_unbindable = true;
    Ok(())
}

pub fn make_root_read_only(state: &State) -> Result<(), Errno> {
    match state.root {
        Some(root) => syscall::add_mount_attributes(root, RDONLY, false).map(drop),
        None => Ok(()),
    }
}

/// Binds a file or directory. Its attributes are set before it becomes visible.
pub fn bind(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let source = arguments.text()?;
    let target = arguments.text()?;
    let attributes = arguments.number()?;
    let flags = arguments.number()?;
    let recursive = flags & flag::RECURSIVE != 0;
    state.report.about = About::Source;
    let tree = match syscall::open_tree(source, recursive) {
        Err(ENOENT) if flags & flag::OPTIONAL != 0 => return Ok(()),
        tree => tree?,
    };
    state.report.about = About::Target;
    if attributes != 0 {
        syscall::add_mount_attributes(tree, attributes, recursive)?;
    }
    let kind = syscall::type_of(tree)?;
    attach(tree, open_or_make(target, kind, flags, state)?, state)
}

/// Attaches a detached mount of the parent, which had the privilege to make it.
pub fn bind_tree(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let (tree, target, flags) = (arguments.fd()?, arguments.text()?, arguments.number()?);
    let kind = syscall::type_of(tree)?;
    attach(tree, open_or_make(target, kind, flags, state)?, state)
}

pub fn mount(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let fs = syscall::fsopen(arguments.text()?)?;
    state.report.file_system = Some(fs);
    let source = arguments.text()?;
    let target = arguments.text()?;
    let attributes = arguments.number()?;
    let flags = arguments.number()?;
    if !source.is_empty() {
        syscall::fsconfig_option(fs, c"source", source)?;
    }
    new_file_system::set_options(fs, arguments)?;
    let tree = new_file_system::finish(fs, attributes)?;
    state.report.file_system = None;
    let target = open_or_make(target, FileType::Directory, flags, state)?;
    if flags & flag::OWN != 0 {
        own_file_systems::add(tree)?;
    }
    attach(tree, target, state)
}

/// Attaches a detached mount, and closes both descriptors.
pub fn attach(tree: i32, target: i32, state: &mut State) -> Result<(), Errno> {
    attach_held(tree, target, state)?;
    syscall::close(tree);
    Ok(())
}

/// Attaches a detached mount whose descriptor stays open.
pub fn attach_held(tree: i32, target: i32, state: &mut State) -> Result<(), Errno> {
    syscall::move_mount(tree, target)?;
    syscall::close(target);
    if state.root.is_none() && !state.is_root_covered {
        state.is_root_covered = syscall::mount_id(c"/..")? != syscall::mount_id(c"/")?;
    }
    Ok(())
}

/// Makes the directory of `root` the root directory of all processes in the mount namespace, and unmounts the old one.
pub fn pivot(state: &mut State) -> Result<(), Errno> {
    let Some(top) = open_top(state)? else { return Ok(()) };
    let id = syscall::mount_id_of(top)?;
    syscall::fchdir(top)?;
    syscall::close(top);
    if let Some(root) = state.root.take() {
        if state.is_root_unbindable {
            syscall::set_propagation(root, Propagation::Private)?;
        }
        syscall::close(root);
    }
    syscall::pivot_to_working_directory()?;
    // The old root directory, and what is left on it, are on the new one, where setns(2) would lead to them.
    while syscall::mount_id(c"/..")? != id {
        syscall::detach_working_directory_mount()?;
    }
    syscall::chdir(c"/").map(drop)
}
