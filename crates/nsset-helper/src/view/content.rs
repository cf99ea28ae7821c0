//! Files, symbolic links and directories of the new mount namespace's own.

use core::ffi::CStr;

use crate::{
    arguments::Arguments,
    protocol::flag,
    state::State,
    syscall::{self, AT_FDCWD, EINVAL, EIO, ENOENT, ENOTDIR, Errno, FileType, O_DIRECTORY, O_PATH},
    view::mounts::attach,
    view::new_file_system::{self, NODEV, NOSUID},
    view::targets::{check_own, make_directory, make_file, open_or_make, open_target, with_parent},
};

/// A part of an open file.
struct Content {
    file: i32,
    offset: u64,
    length: usize,
    mode: usize,
}

/// Makes a file. One that exists is covered, and so is a file with attributes, which only a mount has.
pub fn file(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let (file, offset, length) = (arguments.fd()?, arguments.number()? as u64, arguments.number()?);
    let target = arguments.text()?;
    let content = Content { file, offset, length, mode: arguments.number()? };
    let attributes = arguments.number()?;
    let flags = arguments.number()?;
    match open_target(target, state) {
        Err(ENOENT) if attributes == 0 && flags & flag::CREATE != 0 => {
            with_parent(target, state, |parent, name, state| {
                fill(make_file(parent, name, content.mode, state)?, &content)
            })
        }
        Err(ENOENT) => {
            let target = open_or_make(target, FileType::Other, flags, state)?;
            cover(target, &content, attributes, flags, state)
        }
        target => cover(target?, &content, attributes, flags, state),
    }
}

/// Binds a file of a new tmpfs to the target. Nothing else of the tmpfs is ever visible.
fn cover(target: i32, content: &Content, attributes: usize, flags: usize, state: &mut State) -> Result<(), Errno> {
    const NAME: &CStr = c"file";
    let tmpfs = new_file_system::make(c"tmpfs", &[(c"source", c"tmpfs"), (c"mode", c"0755")], NOSUID | NODEV)?;
    syscall::clear_umask();
    fill(syscall::create_file(tmpfs, NAME, content.mode)?, content)?;
    let tree = match syscall::open_tree_below(tmpfs, NAME) {
        // Before Linux 6.15, only what is attached can be cloned.
        Err(EINVAL) if flags & flag::PRIVATE != 0 => clone_attached(tmpfs, NAME),
        tree => tree,
    }?;
    syscall::close(tmpfs);
    if attributes != 0 {
        syscall::add_mount_attributes(tree, attributes, false)?;
    }
    attach(tree, target, state)
}

/// Clones a file of a detached mount, which is on the root directory meanwhile.
fn clone_attached(tmpfs: i32, name: &CStr) -> Result<i32, Errno> {
    let root = syscall::open(AT_FDCWD, c"/", O_PATH | O_DIRECTORY)?;
    let before = syscall::open(AT_FDCWD, c".", O_PATH | O_DIRECTORY)?;
    syscall::move_mount(tmpfs, root)?;
    let tree = syscall::open_tree_below(tmpfs, name)?;
    syscall::fchdir(tmpfs)?;
    syscall::detach_working_directory_mount()?;
    syscall::fchdir(before)?;
    syscall::close(before);
    syscall::close(root);
    Ok(tree)
}

/// Writes the content, and closes the file.
fn fill(file: i32, content: &Content) -> Result<(), Errno> {
    let mut offset = content.offset;
    let end = offset + content.length as u64;
    while offset < end {
        let rest = (end - offset) as usize;
        if syscall::send_file(file, content.file, &mut offset, rest)? == 0 {
            return Err(EIO);
        }
    }
    syscall::close(file);
    Ok(())
}

/// Makes a symbolic link. It is an error if its name exists.
pub fn symbolic_link(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let (to, target) = (arguments.text()?, arguments.text()?);
    with_parent(target, state, |parent, name, state| {
        check_own(parent, state)?;
        syscall::make_symbolic_link(to, parent, name).map(drop)
    })
}

/// Makes a directory. One that exists is left as it is.
pub fn directory(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let (target, mode) = (arguments.text()?, arguments.number()?);
    match open_target(target, state) {
        Err(ENOENT) => with_parent(target, state, |parent, name, state| make_directory(parent, name, mode, state)),
        found => {
            let found = found?;
            let kind = syscall::type_of(found)?;
            syscall::close(found);
            if kind == FileType::Directory { Ok(()) } else { Err(ENOTDIR) }
        }
    }
}
