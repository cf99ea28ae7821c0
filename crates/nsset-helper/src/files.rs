//! Files that show each reader its own namespaces, like those of `/proc/sys/net`.

use core::{ffi::CStr, mem::MaybeUninit, slice};

use crate::{
    arguments::Arguments,
    protocol::{About, MAX_CONTENT, MOST_CONTENT, MessageKind},
    report::Report,
    state::State,
    syscall::{
        self, DescriptorName, EFBIG, EINVAL, EIO, Errno, O_NOCTTY, O_NONBLOCK, O_PATH, O_RDONLY, O_WRONLY, What,
    },
};

/// Enough for the content of almost all files.
const USUAL_CONTENT: usize = 4096;

/// Sends the content of a file. A sysctl is read by one read from its beginning, because some sysctls give their value
/// in no other way (proc_do_large_bitmap() of kernel/sysctl.c). If the buffer is too small, the helper reads again with
/// a larger one.
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

/// A relative path is below the passed `/proc`, whose files are the kernel's.
fn is_sysctl(path: &CStr) -> bool {
    !path.to_bytes().starts_with(b"/")
}

/// Opens a regular file, or a directory, whose reading fails. A program inside may have put a FIFO, a socket or a
/// device in its place. The helper does not open those, since opening them could block or have an effect. Returns
/// `None` for the device of `/dev/null`, which container engines mount over files that they hide.
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

/// Opens the file of an `O_PATH` descriptor for reading, by its name below `/proc`.
fn reopen(proc: i32, held: i32) -> Result<i32, Errno> {
    syscall::open(proc, DescriptorName::of(held)?.path()?, O_RDONLY | O_NONBLOCK | O_NOCTTY)
}

/// Sends the content of the file, unless it may be larger than the buffer. Returns whether it was sent.
#[inline(never)] // so that the larger room is taken from the stack only when it is needed
#[allow(clippy::large_stack_arrays)] // there is no heap
fn send_if_within<const ROOM: usize>(file: i32, report: Report) -> Result<bool, Errno> {
    let mut content = [const { MaybeUninit::uninit() }; ROOM];
    let length = syscall::read_at(file, &mut content, 0)?;
    let is_all = length < ROOM || ROOM == MAX_CONTENT;
    if is_all {
        // SAFETY: the kernel has written `length` bytes.
        report.send_content(unsafe { slice::from_raw_parts(content.as_ptr().cast(), length) })?;
    }
    Ok(is_all)
}

/// Sends the content of a file of at most [`MOST_CONTENT`] bytes.
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
        // SAFETY: the kernel has written `length` bytes.
        report.send_content_part(unsafe { slice::from_raw_parts(content.as_ptr().cast(), length) })?;
        offset += length;
    }
}

/// Writes the text with one write(2), because a sysctl takes each write as a whole value.
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
