//! A user namespace below the one that was joined.
//!
//! Its maps contain ids of the namespace above it, so only a process in that namespace may write them, and the parent
//! is further out (user_namespaces(7)). Its `/proc` files can be opened only while the process in it is dumpable, and
//! the helper must not be dumpable here, where programs of the set could trace it. So a placeholder process that holds
//! nothing makes the namespace; the helper writes the maps, joins, and kills the placeholder.

use core::ffi::CStr;

use crate::{
    arguments::Arguments,
    namespaces,
    protocol::About,
    state::State,
    syscall::{
        self, CLONE_NEWUSER, Disposition, EINVAL, EIO, ETIMEDOUT, Errno, O_DIRECTORY, O_PATH, O_RDONLY, O_WRONLY,
        SIGCHLD,
    },
};

const SIGKILL: usize = 9;
const SIGCONT: usize = 18;

/// How often, and at which interval, the helper checks for the outcome. Each time it continues the placeholder, which
/// another process may have stopped.
const POLL_INTERVAL_MS: u32 = 5;
const MOST_POLLS: u32 = 200;

/// Makes the namespace with these maps and holds it open. The file of an empty text is not written.
pub fn make(arguments: &mut Arguments, state: &mut State) -> Result<(), Errno> {
    let [uid_map, gid_map, setgroups] = [arguments.text()?, arguments.text()?, arguments.text()?];
    // The kernel reaps the placeholder (wait(2)). The helper does not wait for it, since a tracer could delay that
    // without limit.
    syscall::set_disposition(SIGCHLD, Disposition::Ignore)?;
    let [ready, tell] = syscall::pipe()?;
    let pid = syscall::fork(0)?;
    if pid == 0 {
        hold_namespace(tell);
    }
    syscall::close(tell);
    let files = [
        (About::Setgroups, c"setgroups", setgroups, 0),
        (About::UidMap, c"uid_map", uid_map, syscall::getuid()),
        (About::GidMap, c"gid_map", gid_map, syscall::getgid()),
    ];
    let outcome = wait_until_made(ready, pid, state).and_then(|()| write_maps(pid, files, state));
    syscall::close(ready);
    let _ = syscall::kill(pid, SIGKILL);
    state.nested_user = outcome?;
    Ok(())
}

/// Joins the namespace that [`make`] holds.
pub fn join(state: &mut State) -> Result<(), Errno> {
    namespaces::join(state.nested_user, CLONE_NEWUSER, state)
}

fn wait_until_made(ready: i32, pid: usize, state: &mut State) -> Result<(), Errno> {
    let mut glances = 0;
    loop {
        let [is_made, is_over] = syscall::wait_readable([ready, state.report.control], POLL_INTERVAL_MS)?;
        if is_made {
            break;
        }
        // The parent sends nothing here. The socket is readable only if the parent has ended or given up.
        if is_over {
            return Err(EIO);
        }
        glances += 1;
        if glances > MOST_POLLS {
            return Err(ETIMEDOUT);
        }
        let _ = syscall::kill(pid, SIGCONT);
    }
    let mut answer = [0u8; 4];
    if syscall::read(ready, &mut answer)? != answer.len() {
        return Err(EIO);
    }
    match i32::from_ne_bytes(answer) {
        0 => Ok(()),
        errno => {
            state.report.about = About::Unshare;
            Err(errno)
        }
    }
}

/// Writes the id maps, and opens the namespace.
fn write_maps(pid: usize, files: [(About, &CStr, &CStr, usize); 3], state: &mut State) -> Result<i32, Errno> {
    let process = open_process(state.proc, pid)?;
    for (about, file, text, own_id) in files {
        if !text.is_empty() {
            state.report.about = about;
            let mut buffer = Text::new();
            buffer.push_with_id(text.to_bytes(), own_id)?;
            let fd = syscall::open(process, file, O_WRONLY)?;
            syscall::write(fd, buffer.bytes())?;
            syscall::close(fd);
        }
    }
    state.report.about = About::Target;
    let namespace = syscall::open(process, c"ns/user", O_RDONLY)?;
    syscall::close(process);
    Ok(namespace)
}

/// The placeholder: makes the namespace, reports the outcome, and waits to be killed.
fn hold_namespace(tell: i32) -> ! {
    let _ = syscall::set_death_signal(SIGKILL);
    let outcome = release_all_but(tell).and_then(|tell| {
        let made = syscall::unshare(CLONE_NEWUSER).and_then(|_| syscall::set_dumpable()).err().unwrap_or(0);
        syscall::write(tell, &made.to_ne_bytes())
    });
    if outcome.is_err() {
        syscall::exit(1);
    }
    loop {
        syscall::pause();
    }
}

/// Closes every descriptor except one, which becomes descriptor 0.
fn release_all_but(fd: i32) -> Result<i32, Errno> {
    syscall::duplicate_to(fd, 0)?;
    syscall::close_range(1, u32::MAX)?;
    Ok(0)
}

/// The directory of the placeholder in `/proc`.
fn open_process(proc: i32, pid: usize) -> Result<i32, Errno> {
    let mut path = Text::new();
    path.push_with_id(b"@\0", pid)?;
    let path = CStr::from_bytes_until_nul(path.bytes()).map_err(|_| EINVAL)?;
    syscall::open(proc, path, O_PATH | O_DIRECTORY)
}

/// The text of a map; the kernel accepts less than a page.
struct Text {
    bytes: [u8; 4096],
    length: usize,
}

impl Text {
    const fn new() -> Self {
        Self { bytes: [0; 4096], length: 0 }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }

    /// Adds a text, with the id in place of each `@`.
    fn push_with_id(&mut self, text: &[u8], id: usize) -> Result<(), Errno> {
        for byte in text {
            match byte {
                b'@' => self.push_decimal(id)?,
                byte => self.push(*byte)?,
            }
        }
        Ok(())
    }

    fn push_decimal(&mut self, value: usize) -> Result<(), Errno> {
        if value >= 10 {
            self.push_decimal(value / 10)?;
        }
        self.push(b'0' + (value % 10) as u8)
    }

    fn push(&mut self, byte: u8) -> Result<(), Errno> {
        *self.bytes.get_mut(self.length).ok_or(EINVAL)? = byte;
        self.length += 1;
        Ok(())
    }
}
