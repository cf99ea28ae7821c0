//! The program file of the helper: embedded here, and held in memory that no process can change.

use std::{
    fs::OpenOptions,
    io::Write,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
    path::PathBuf,
    sync::OnceLock,
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, SealFlag, fcntl},
    sys::{
        memfd::{MFdFlags, memfd_create},
        statvfs::{FsFlags, fstatvfs},
    },
};

use crate::{
    error::{Result, SystemError, last_errno},
    proc,
};

static PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/nsset-helper"));

/// The program file of the helper, created once per process.
pub fn program() -> Result<BorrowedFd<'static>> {
    static IMAGE: OnceLock<OwnedFd> = OnceLock::new();
    if let Some(image) = IMAGE.get() {
        return Ok(image.as_fd());
    }
    let image =
        in_memory().or_else(|error| if error.errno == Errno::EACCES { in_a_nameless_file() } else { Err(error) })?;
    Ok(IMAGE.get_or_init(|| image).as_fd())
}

/// A sealed memfd: no process, not even this one, can write to it.
fn in_memory() -> std::result::Result<OwnedFd, Box<SystemError>> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let executable = MFdFlags::from_bits_retain(libc::MFD_EXEC);
    let fd = match memfd_create(c"nsset-helper", flags | executable) {
        // Kernels before 6.3 do not know the flag, and need none (memfd_create(2)).
        Err(Errno::EINVAL) => memfd_create(c"nsset-helper", flags),
        other => other,
    };
    let fd = fd.map_err(|errno| SystemError::new(errno, "memfd_create"))?;
    let mut file = std::fs::File::from(fd);
    file.write_all(PROGRAM).map_err(|error| SystemError::new(last_errno(&error), "write"))?;
    let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).map_err(|errno| SystemError::new(errno, "fcntl(F_ADD_SEALS)"))?;
    Ok(file.into())
}

/// For `vm.memfd_noexec=2`, which forbids executable memory: an unnamed file, which the kernel removes with its last
/// descriptor.
fn in_a_nameless_file() -> std::result::Result<OwnedFd, Box<SystemError>> {
    let directories = [std::env::temp_dir(), PathBuf::from("/dev/shm"), PathBuf::from("/var/tmp")];
    let mut failure = SystemError::new(Errno::EACCES, "memfd_create");
    for directory in directories {
        match nameless_file(&directory) {
            Ok(fd) => return Ok(fd),
            Err(error) => failure = SystemError::new(last_errno(&error), "open(O_TMPFILE)").path(directory),
        }
    }
    Err(failure.hint("vm.memfd_noexec=2 forbids executable memory, and no temporary directory takes a program instead"))
}

fn nameless_file(directory: &std::path::Path) -> std::io::Result<OwnedFd> {
    let mut file = OpenOptions::new().write(true).mode(0o500).custom_flags(libc::O_TMPFILE).open(directory)?;
    if fstatvfs(&file)?.flags().contains(FsFlags::ST_NOEXEC) {
        return Err(Errno::EACCES.into());
    }
    file.write_all(PROGRAM)?;
    // A file that is open for writing cannot be executed (ETXTBSY). So it is opened again, and the writable descriptor
    // is closed. It is opened by the /proc that nsset holds, because in another mount namespace that path may lead to
    // another program.
    Ok(proc::open_below(format!("thread-self/fd/{}", file.as_raw_fd()), OFlag::O_PATH)?)
}
