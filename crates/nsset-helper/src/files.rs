//! Files that show each reader its own namespaces, as those of `/proc/sys/net` do.

use core::{ffi::CStr, mem::MaybeUninit, slice};

use crate::{
    arguments::Arguments,
    protocol::{About, MAX_CONTENT, MOST_CONTENT, MessageKind},
    report::Report,
    state::State,
    syscall::{self, EFBIG, EINVAL, EIO, Errno, O_NOCTTY, O_NONBLOCK, O_PATH, O_RDONLY, O_WRONLY, What},
};

/// Room for what all but a few files hold.
const USUAL_CONTENT: usize = 4096;

/// Says what a file holds. A sysctl is told as one read from its beginning tells it: some tell their value in no other way
/// (proc_do_large_bitmap() of kernel/sysctl.c). What does not fit is read anew.
pub fn read(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let directory = arguments.fd()?;
    let path = arguments.text()?;
    let Some(file) = open_to_read(directory, path, &mut state.report)? else { return state.report.send_content(&[]) };
    if !send_if_within::<USUAL_CONTENT>(file, state.report)? {
        if is_sysctl(path) {
            send_if_within::<MAX_CONTENT>(file, state.report)?;
        } else {
            send_in_parts(file, state.report)?;
        }
    }
    syscall::close(file);
    Ok(())
}

/// What is below the `/proc` that we were given is the kernel's.
fn is_sysctl(path: &CStr) -> bool {
    !path.to_bytes().starts_with(b"/")
}

/// Opens a regular file, or a directory, whose reading fails. A program inside may have put a FIFO, a socket or a device in
/// its place: that is looked at and not opened, since opening it could wait, or do something. `None` for the device that
/// `/dev/null` is: engines put it over the files that they hide.
fn open_to_read(proc: i32, path: &CStr, report: &mut Report) -> Result<Option<i32>, Errno> {
    report.about = About::Open;
    if is_sysctl(path) {
        let file = syscall::open(proc, path, O_RDONLY)?;
        report.about = About::Target;
        return Ok(Some(file));
    }
    let held = syscall::open(proc, path, O_PATH)?;
    match syscall::what_is(held)? {
        What::Content => {}
        What::Nothing => return Ok(None),
        What::Special => {
            report.about = About::Target;
            return Err(EINVAL);
        }
    }
    let file = reopen(proc, held)?;
    syscall::close(held);
    report.about = About::Target;
    Ok(Some(file))
}

/// Opens what the descriptor holds, for reading, by its name below `/proc`.
fn reopen(proc: i32, held: i32) -> Result<i32, Errno> {
    const DIRECTORY: &[u8] = b"self/fd/";
    const MOST_DIGITS: usize = 10;
    let mut name = [0_u8; DIRECTORY.len() + MOST_DIGITS + 1];
    let mut digits = [0_u8; MOST_DIGITS];
    let (mut rest, mut first) = (held.unsigned_abs(), MOST_DIGITS);
    while first == MOST_DIGITS || rest > 0 {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    for (place, byte) in name.iter_mut().zip(DIRECTORY.iter().chain(&digits[first..])) {
        *place = *byte;
    }
    let path = CStr::from_bytes_until_nul(&name).map_err(|_| EINVAL)?;
    syscall::open(proc, path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
}

/// Says what the file holds, unless there may be more of it than there is room; whether it was said.
#[inline(never)] // so that the larger room is taken from the stack only when it is needed
#[allow(clippy::large_stack_arrays)] // there is no heap
fn send_if_within<const ROOM: usize>(file: i32, report: Report) -> Result<bool, Errno> {
    let mut content = [const { MaybeUninit::uninit() }; ROOM];
    let length = syscall::read_at(file, &mut content, 0)?;
    let is_all = length < ROOM || ROOM == MAX_CONTENT;
    if is_all {
        // SAFETY: the kernel has filled this much of it.
        report.send_content(unsafe { slice::from_raw_parts(content.as_ptr().cast(), length) })?;
    }
    Ok(is_all)
}

/// Says what a file of no more than [`MOST_CONTENT`] holds.
#[inline(never)] // as above
#[allow(clippy::large_stack_arrays)] // there is no heap
fn send_in_parts(file: i32, report: Report) -> Result<(), Errno> {
    let mut content = [const { MaybeUninit::uninit() }; MAX_CONTENT];
    let mut offset = 0;
    loop {
        let length = syscall::read_at(file, &mut content, offset)?;
        if length == 0 {
            return report.send_content(&[]);
        }
        if offset + length > MOST_CONTENT {
            return Err(EFBIG);
        }
        // SAFETY: the kernel has filled this much of it.
        report.send_content_part(unsafe { slice::from_raw_parts(content.as_ptr().cast(), length) })?;
        offset += length;
    }
}

/// Writes the text to a file at once: a sysctl takes each write for a value.
pub fn write(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let directory = arguments.fd()?;
    let path = arguments.text()?;
    state.report.about = About::Open;
    let file = syscall::open(directory, path, O_WRONLY)?;
    state.report.about = About::Target;
    let text = arguments.text()?.to_bytes();
    if syscall::write(file, text)? != text.len() {
        return Err(EIO);
    }
    syscall::close(file);
    state.report.send(MessageKind::Written, 0, &[])
}
