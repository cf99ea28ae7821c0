//! The last steps of a spawn: descriptors, signals, and the program itself.

use core::{ffi::CStr, ops::ControlFlow};

use crate::{
    arguments::Arguments,
    syscall::{self, Disposition, EACCES, ENAMETOOLONG, ENOENT, ENOEXEC, ENOTDIR, Errno},
};

/// The most descriptors that a program gets; limited by the array below.
const MAX_STDIO: usize = 256;
const PATH_MAX: usize = 4096;
const LAST_SIGNAL: usize = 64;

/// Gives the program its descriptors 0 to COUNT - 1. A descriptor in this range is first copied above it, so that none
/// overwrites another one or a descriptor that is kept. All others stay close-on-exec.
pub fn set_stdio(arguments: &mut Arguments, kept: [&mut i32; 2]) -> Result<(), Errno> {
    let count = arguments.number()?.min(MAX_STDIO);
    for fd in kept.into_iter().filter(|fd| **fd >= 0) {
        *fd = lift(*fd, count)?;
    }
    let mut fds = [None; MAX_STDIO];
    for fd in &mut fds[..count] {
        *fd = match arguments.optional_fd()? {
            Some(given) => Some(lift(given, count)?),
            None => None,
        };
    }
    for (target, fd) in (0..).zip(&fds[..count]) {
        let Some(fd) = fd else { continue };
        syscall::duplicate_to(*fd, target)?;
        // Programs do not expect EAGAIN from the first three; child_process does the same.
        if target <= 2 {
            syscall::make_blocking(target)?;
        }
    }
    Ok(())
}

fn lift(fd: i32, count: usize) -> Result<i32, Errno> {
    if fd >= count as i32 { Ok(fd) } else { syscall::duplicate_above(fd, count as i32) }
}

/// Gives the signals the state that a new program expects. A filter of system calls may refuse this later.
pub fn reset_signals() -> Result<(), Errno> {
    for signal in 1..=LAST_SIGNAL {
        // The kernel refuses this for SIGKILL and SIGSTOP, which always have the default disposition.
        let _ = syscall::set_disposition(signal, Disposition::Default);
    }
    syscall::unblock_all_signals().map(drop)
}

/// Executes the program. Returns only if that fails.
pub fn exec(arguments: &mut Arguments, environment: *const *const u8) -> Result<(), Errno> {
    let file = arguments.text()?;
    search(file, environment, |path| match start(path, arguments.rest(), environment) {
        ENOEXEC => ControlFlow::Break(Err(start_script(path, arguments.rest(), environment))),
        errno => next_after(errno),
    })
}

/// Returns the error of [`exec`] if the file is missing or not executable. Any other error is left to that.
pub fn find(arguments: &mut Arguments, environment: *const *const u8) -> Result<(), Errno> {
    search(arguments.text()?, environment, |path| match syscall::may_execute(path) {
        Err(errno @ (EACCES | ENOENT | ENOTDIR)) => next_after(errno),
        _ => ControlFlow::Break(Ok(())),
    })
}

fn start(path: &CStr, argv: *const *const u8, environment: *const *const u8) -> Errno {
    // SAFETY: both are NULL-terminated vectors of the kernel.
    unsafe { syscall::execve(path, argv, environment) }
}

/// A file without a known format is run as a shell script, as execvp(3) does. The shell and the path replace FILE and
/// the name of the program, which are adjacent in the vector.
fn start_script(path: &CStr, argv: *const *const u8, environment: *const *const u8) -> Errno {
    // SAFETY: the vector is on our own stack, writable; FILE precedes `argv`, which has at least a name, and no code
    // reads either afterwards: this is the last attempt.
    unsafe {
        let vector = argv.sub(1).cast_mut();
        *vector = c"/bin/sh".as_ptr().cast();
        *vector.add(1) = path.as_ptr().cast();
        syscall::execve(c"/bin/sh", vector, environment)
    }
}

/// What an attempt means: the end of the search, or, with the error of this path, the next path.
type Attempt = ControlFlow<Result<(), Errno>, Errno>;

/// Searches on if the path does not exist or may not be executed.
fn next_after(errno: Errno) -> Attempt {
    match errno {
        EACCES | ENOENT | ENOTDIR => ControlFlow::Continue(errno),
        errno => ControlFlow::Break(Err(errno)),
    }
}

/// Tries the file, or searches for a name without a slash in the program's own `PATH`, as execvp(3) does.
fn search(file: &CStr, environment: *const *const u8, mut attempt: impl FnMut(&CStr) -> Attempt) -> Result<(), Errno> {
    if file.is_empty() {
        return Err(ENOENT);
    }
    if file.to_bytes().contains(&b'/') {
        return match attempt(file) {
            ControlFlow::Continue(errno) => Err(errno),
            ControlFlow::Break(outcome) => outcome,
        };
    }
    let mut refused = false;
    for directory in path_variable(environment).split(|byte| *byte == b':') {
        let mut buffer = [0u8; PATH_MAX];
        let path = join(&mut buffer, directory, file.to_bytes()).ok_or(ENAMETOOLONG)?;
        match attempt(path) {
            ControlFlow::Continue(errno) => refused |= errno == EACCES,
            ControlFlow::Break(outcome) => return outcome,
        }
    }
    Err(if refused { EACCES } else { ENOENT })
}

/// The value of `PATH`, or the default of the system.
fn path_variable(environment: *const *const u8) -> &'static [u8] {
    // SAFETY: the environment is the kernel's vector of strings.
    let mut variables = unsafe { Arguments::new(environment) };
    while let Some(variable) = variables.word() {
        if let Some(value) = variable.to_bytes().strip_prefix(b"PATH=") {
            return value;
        }
    }
    b"/usr/local/bin:/bin:/usr/bin"
}

/// `directory/file`, or `file` if the directory is empty, which means the working directory.
fn join<'a>(buffer: &'a mut [u8; PATH_MAX], directory: &[u8], file: &[u8]) -> Option<&'a CStr> {
    let separator: &[u8] = if directory.is_empty() { b"" } else { b"/" };
    let mut length = 0;
    for part in [directory, separator, file] {
        buffer.get_mut(length..length + part.len())?.copy_from_slice(part);
        length += part.len();
    }
    *buffer.get_mut(length)? = 0;
    CStr::from_bytes_until_nul(buffer).ok()
}
