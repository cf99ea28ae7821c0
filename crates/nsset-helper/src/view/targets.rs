//! The targets of mounts. They are resolved as a process inside will resolve them, so that no symbolic link leads out of
//! the new root directory, and made where they are missing.

use core::ffi::CStr;

use crate::{
    protocol::{About, flag},
    state::State,
    syscall::{self, AT_FDCWD, EEXIST, EINVAL, ENAMETOOLONG, ENOENT, Errno, FileType, O_DIRECTORY, O_NOFOLLOW, O_PATH},
    view::own_file_systems,
};

const PATH_MAX: usize = 4096;

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
pub fn open_top(state: &State) -> Result<Option<i32>, Errno> {
    match state.root {
        Some(root) => syscall::open_in_root(root, c"..").map(Some),
        None if state.is_root_covered => syscall::open(AT_FDCWD, c"/..", O_PATH | O_DIRECTORY).map(Some),
        None => Ok(None),
    }
}

/// The same as [`open_target`]; with the flag `CREATE`, a missing target is made.
pub fn open_or_make(target: &CStr, kind: FileType, flags: usize, state: &mut State) -> Result<i32, Errno> {
    match open_target(target, state) {
        Err(ENOENT) if flags & flag::CREATE != 0 => make(target, kind, state),
        opened => opened,
    }
}

/// Makes a target that is missing, and the directories above it that are.
fn make(target: &CStr, kind: FileType, state: &mut State) -> Result<i32, Errno> {
    with_parent(target, state, |parent, name, state| {
        match kind {
            FileType::Directory => make_directory(parent, name, 0o755, state)?,
            FileType::Other => syscall::close(make_file(parent, name, 0o644, state)?),
        }
        syscall::open(parent, name, O_PATH | O_NOFOLLOW)
    })
}

/// Calls with the directory in which a path has its last name. Directories above it that are missing are made.
pub fn with_parent<T>(
    path: &CStr,
    state: &mut State,
    call: impl FnOnce(i32, &CStr, &mut State) -> Result<T, Errno>,
) -> Result<T, Errno> {
    let root = match open_top(state)? {
        Some(top) => top,
        None => syscall::open(AT_FDCWD, c"/", O_PATH | O_DIRECTORY)?,
    };
    let outcome = below(root, path.to_bytes(), state, call);
    syscall::close(root);
    outcome
}

#[inline(never)] // so that its room is taken from the stack only when it is needed
fn below<T>(
    root: i32,
    path: &[u8],
    state: &mut State,
    call: impl FnOnce(i32, &CStr, &mut State) -> Result<T, Errno>,
) -> Result<T, Errno> {
    let mut buffer = [0u8; PATH_MAX];
    let mut parent = syscall::open(root, c".", O_PATH | O_DIRECTORY)?;
    let mut component = next_component(path, 0).ok_or(EEXIST)?;
    loop {
        let (start, end) = component;
        let prefix = terminated(path.get(..end).ok_or(EINVAL)?, &mut buffer)?;
        let name = CStr::from_bytes_with_nul(prefix.to_bytes_with_nul().get(start..).ok_or(EINVAL)?);
        let name = name.map_err(|_| EINVAL)?;
        let Some(next) = next_component(path, end) else {
            let outcome = call(parent, name, state);
            syscall::close(parent);
            return outcome;
        };
        // Each directory is looked up from the root, because a symbolic link may be in the way.
        let found = match syscall::open_in_root(root, prefix) {
            Err(ENOENT) => make_directory(parent, name, 0o755, state)
                .and_then(|()| syscall::open(parent, name, O_PATH | O_NOFOLLOW | O_DIRECTORY)),
            found => found,
        };
        syscall::close(parent);
        parent = found?;
        component = next;
    }
}

/// Where the next component of a path begins and ends.
fn next_component(path: &[u8], from: usize) -> Option<(usize, usize)> {
    let rest = path.get(from..)?;
    let start = from + rest.iter().position(|byte| *byte != b'/')?;
    let rest = path.get(start..)?;
    Some((start, start + rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len())))
}

fn terminated<'a>(path: &[u8], buffer: &'a mut [u8; PATH_MAX]) -> Result<&'a CStr, Errno> {
    buffer.get_mut(..path.len()).ok_or(ENAMETOOLONG)?.copy_from_slice(path);
    *buffer.get_mut(path.len()).ok_or(ENAMETOOLONG)? = 0;
    CStr::from_bytes_until_nul(buffer).map_err(|_| EINVAL)
}

/// Makes a directory on a file system of our own.
pub fn make_directory(parent: i32, name: &CStr, mode: usize, state: &mut State) -> Result<(), Errno> {
    check_own(parent, state)?;
    syscall::make_directory(parent, name, mode).map(drop).map_err(dangling)
}

/// Makes an empty file on a file system of our own, and opens it for writing.
pub fn make_file(parent: i32, name: &CStr, mode: usize, state: &mut State) -> Result<i32, Errno> {
    check_own(parent, state)?;
    syscall::create_file(parent, name, mode).map_err(dangling)
}

/// Only a symbolic link whose target is missing exists and is not found.
const fn dangling(errno: Errno) -> Errno {
    if errno == EEXIST { ENOENT } else { errno }
}

/// It is an error if the directory is on a file system that others use, too.
pub fn check_own(directory: i32, state: &mut State) -> Result<(), Errno> {
    if !own_file_systems::contains(directory)? {
        state.report.about = About::Foreign;
        return Err(ENOENT);
    }
    syscall::clear_umask();
    Ok(())
}
