//! Files that show each reader its own namespaces, as those of `/proc/sys/net` do.

use core::{mem::MaybeUninit, slice};

use crate::{
    arguments::Arguments,
    protocol::{About, MAX_CONTENT, Saying},
    report::Report,
    state::State,
    syscall::{self, EINVAL, EIO, Errno, O_NONBLOCK, O_RDONLY, O_WRONLY},
};

/// Room for what all but a few files hold.
const USUAL_CONTENT: usize = 4096;

/// Says what a file holds, as one read from its beginning tells it: some sysctls tell their value in no other way
/// (proc_do_large_bitmap() of kernel/sysctl.c). What does not fit is read anew.
pub fn read(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    // Whoever is inside may have put a FIFO or a device in its place, to be waited for.
    let file = open(arguments, O_RDONLY | O_NONBLOCK, state)?;
    if !syscall::is_file_or_directory(file)? {
        return Err(EINVAL);
    }
    if !say_within::<USUAL_CONTENT>(file, state.report)? {
        say_within::<MAX_CONTENT>(file, state.report)?;
    }
    syscall::close(file);
    Ok(())
}

/// Says what the file holds, unless there may be more of it than there is room; whether it was said.
#[inline(never)] // so that the larger room is taken from the stack only when it is needed
#[allow(clippy::large_stack_arrays)] // there is no heap
fn say_within<const ROOM: usize>(file: i32, report: Report) -> Result<bool, Errno> {
    let mut content = [const { MaybeUninit::uninit() }; ROOM];
    let length = syscall::read_from_start(file, &mut content)?;
    let is_all = length < ROOM || ROOM == MAX_CONTENT;
    if is_all {
        // SAFETY: the kernel has filled this much of it.
        report.say_content(unsafe { slice::from_raw_parts(content.as_ptr().cast(), length) })?;
    }
    Ok(is_all)
}

/// Writes the text to a file at once: a sysctl takes each write for a value.
pub fn write(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let file = open(arguments, O_WRONLY, state)?;
    let text = arguments.text()?.to_bytes();
    if syscall::write(file, text)? != text.len() {
        return Err(EIO);
    }
    syscall::close(file);
    state.report.say(Saying::Written, 0, &[])
}

fn open(arguments: &mut Arguments, flags: usize, state: &mut State) -> Result<i32, Errno> {
    let directory = arguments.fd()?;
    let path = arguments.text()?;
    state.report.about = About::Open;
    let file = syscall::open(directory, path, flags)?;
    state.report.about = About::Target;
    Ok(file)
}
