//! Overlay file systems. Layers are passed as open directories, so that their paths need no escaping and have no limit:
//! the strings of fsconfig(2) have at most 255 bytes.

use core::ffi::CStr;

use crate::{
    arguments::Arguments,
    protocol::{flag, word},
    state::{Overlay, State},
    syscall::{self, AT_FDCWD, DescriptorName, E2BIG, EINVAL, Errno, FileType, O_DIRECTORY, O_PATH},
    view::mounts::{attach, attach_held},
    view::new_file_system::{self, NODEV, NOSUID},
    view::own_file_systems,
    view::targets::open_or_make,
};

/// Whether it is a step of an overlay file system.
pub fn is_step(word: &[u8]) -> bool {
    word.starts_with(word::OVERLAY)
}

pub fn step(word: &[u8], arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    if word == word::OVERLAY {
        return begin(arguments, state);
    }
    let proc = state.proc;
    let overlay = state.overlay.as_mut().ok_or(EINVAL)?;
    state.report.file_system = Some(overlay.fs);
    match word {
        word::OVERLAY_LOWER => add_lower(open(arguments.text()?)?, overlay, proc),
        word::OVERLAY_UPPER => add(overlay.fs, c"upperdir", open(arguments.text()?)?, proc),
        word::OVERLAY_WORK => add(overlay.fs, c"workdir", open(arguments.text()?)?, proc),
        word::OVERLAY_SCRATCH => mount_scratch(arguments, overlay.fs, state),
        word::OVERLAY_MOUNT => mount(arguments, state),
        _ => Err(EINVAL),
    }
}

fn begin(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let fs = syscall::fsopen(c"overlay")?;
    state.report.file_system = Some(fs);
    syscall::fsconfig_option(fs, c"source", c"overlay")?;
    new_file_system::set_options(fs, arguments)?;
    state.overlay = Some(Overlay { fs, lowers: [0; 255], length: 0 });
    Ok(())
}

fn open(path: &CStr) -> Result<i32, Errno> {
    syscall::open(AT_FDCWD, path, O_PATH | O_DIRECTORY)
}

/// Sets an option to a directory, and closes the directory.
fn add(fs: i32, key: &CStr, directory: i32, proc: i32) -> Result<(), Errno> {
    let outcome = match syscall::fsconfig_fd(fs, key, directory) {
        // Before Linux 6.13, it has to be a path.
        Err(EINVAL) => set_by_number(fs, key, DescriptorName::of(directory)?.text()?, proc),
        outcome => outcome.map(drop),
    };
    syscall::close(directory);
    outcome
}

/// Adds a lower layer below the others.
fn add_lower(directory: i32, overlay: &mut Overlay, proc: i32) -> Result<(), Errno> {
    let held = syscall::duplicate_above(directory, 0)?;
    match add(overlay.fs, c"lowerdir+", directory, proc) {
        // Before Linux 6.7, all lower layers are one option, so this one stays open.
        Err(EINVAL) => note_lower(held, overlay),
        outcome => {
            syscall::close(held);
            outcome
        }
    }
}

fn note_lower(held: i32, overlay: &mut Overlay) -> Result<(), Errno> {
    for byte in DescriptorName::of(held)?.text()?.to_bytes().iter().chain(b":") {
        *overlay.lowers.get_mut(overlay.length).ok_or(E2BIG)? = *byte;
        overlay.length += 1;
    }
    Ok(())
}

/// Sets an option to the names of descriptors in `/proc/self/fd`, which is the working directory meanwhile.
fn set_by_number(fs: i32, key: &CStr, numbers: &CStr, proc: i32) -> Result<(), Errno> {
    let before = syscall::open(AT_FDCWD, c".", O_PATH | O_DIRECTORY)?;
    let descriptors = syscall::open(proc, c"self/fd", O_PATH | O_DIRECTORY)?;
    syscall::fchdir(descriptors)?;
    let outcome = syscall::fsconfig_option(fs, key, numbers);
    syscall::fchdir(before)?;
    syscall::close(descriptors);
    syscall::close(before);
    outcome.map(drop)
}

/// Mounts a tmpfs for what is written. The overlay file system will cover it.
fn mount_scratch(arguments: &mut Arguments, fs: i32, state: &mut State) -> Result<(), Errno> {
    let (target, flags) = (arguments.text()?, arguments.number()?);
    let scratch = syscall::fsopen(c"tmpfs")?;
    state.report.file_system = Some(scratch);
    new_file_system::set_options(scratch, arguments)?;
    let tree = new_file_system::finish(scratch, NOSUID | NODEV)?;
    state.report.file_system = Some(fs);
    let target = open_or_make(target, FileType::Directory, flags, state)?;
    attach_held(tree, target, state)?;
    syscall::clear_umask();
    for (key, name) in [(c"upperdir", c"upper"), (c"workdir", c"work")] {
        syscall::make_directory(tree, name, 0o755)?;
        add(fs, key, syscall::open(tree, name, O_PATH | O_DIRECTORY)?, state.proc)?;
    }
    syscall::close(tree);
    Ok(())
}

fn mount(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let (target, attributes, flags) = (arguments.text()?, arguments.number()?, arguments.number()?);
    let Some(mut overlay) = state.overlay.take() else { return Err(EINVAL) };
    if let Some(end) = overlay.length.checked_sub(1) {
        // The last colon.
        *overlay.lowers.get_mut(end).ok_or(E2BIG)? = 0;
        let lowers = CStr::from_bytes_until_nul(&overlay.lowers).map_err(|_| EINVAL)?;
        set_by_number(overlay.fs, c"lowerdir", lowers, state.proc)?;
    }
    let tree = new_file_system::finish(overlay.fs, attributes)?;
    state.report.file_system = None;
    if flags & flag::OWN != 0 {
        own_file_systems::add(tree)?;
    }
    attach(tree, open_or_make(target, FileType::Directory, flags, state)?, state)
}
