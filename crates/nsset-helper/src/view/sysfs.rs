//! Mounts a sysfs of the joined network over the one on /sys, because a sysfs shows the network of the process that
//! mounted it (kernfs_ns of fs/sysfs/mount.c). All mounts below the old one, such as `/sys/fs/cgroup`, are mounted
//! below the new one as well, so that nothing disappears and nothing that was masked becomes visible.

use core::ffi::CStr;

use crate::{
    arguments::Arguments,
    state::State,
    syscall::{self, AT_FDCWD, DescriptorName, EINVAL, ENAMETOOLONG, ENOENT, Errno, O_DIRECTORY, O_NOFOLLOW, O_PATH},
    view::mounts_on,
    view::new_file_system::{self, NODEV, NOEXEC, NOSUID, RDONLY},
    view::own_mounts::unless_refused,
    view::targets::open_target,
};

const SYSFS_MAGIC: u64 = 0x6265_6572;

/// Mounts it. If it is not required, the step is skipped when the kernel refuses it or when /sys is no sysfs.
pub fn mount(arguments: &mut Arguments, state: &State) -> Result<(), Errno> {
    let is_required = arguments.number()? != 0;
    if state.is_without_own_mounts {
        return Ok(());
    }
    let outcome = open_target(c"/sys", state).and_then(|there| {
        let outcome = mount_over(there, is_required, state);
        syscall::close(there);
        outcome
    });
    match outcome {
        // There is no /sys, it shows a part of a sysfs, or a mount below it cannot be mounted a second time.
        Err(ENOENT | EINVAL) if !is_required => Ok(()),
        outcome => unless_refused(outcome, is_required),
    }
}

fn mount_over(there: i32, is_required: bool, state: &State) -> Result<(), Errno> {
    let view = syscall::file_system(there)?;
    let is_sysfs = view.magic == SYSFS_MAGIC;
    if !is_sysfs && !is_required {
        return Ok(());
    }
    let attributes = if is_sysfs { attributes(view.flags) } else { NOSUID | NODEV | NOEXEC };
    let tree = new_file_system::make(c"sysfs", &[(c"source", c"sysfs")], attributes)?;
    let outcome = syscall::move_mount(tree, there).and_then(|_| {
        if !is_sysfs {
            return Ok(());
        }
        carry_over(there, tree, state).inspect_err(|_| take_away(tree))
    });
    syscall::close(tree);
    outcome
}

const NOATIME: usize = 0x10;
const STRICTATIME: usize = 0x20;
const NODIRATIME: usize = 0x80;

/// The attributes of a mount with these flags of statfs(2). A read-only mount stays read-only; otherwise the kernel
/// would not let an ordinary user mount it (mnt_already_visible() of fs/namespace.c).
const fn attributes(flags: u64) -> usize {
    const ST_NOATIME: u64 = 0x400;
    const ST_NODIRATIME: u64 = 0x800;
    const ST_RELATIME: u64 = 0x1000;
    // The first four have the same numbers in both.
    let mut attributes = flags as usize & (RDONLY | NOSUID | NODEV | NOEXEC);
    if flags & ST_NOATIME != 0 {
        attributes |= NOATIME;
    } else if flags & ST_RELATIME == 0 {
        attributes |= STRICTATIME;
    }
    if flags & ST_NODIRATIME != 0 {
        attributes |= NODIRATIME;
    }
    attributes
}

/// Mounts on the new sysfs what is mounted on the old one. Mounts further down move along with their parents.
fn carry_over(old: i32, new: i32, state: &State) -> Result<(), Errno> {
    let prefix = path_length(old, state)?;
    mounts_on::each(old, state.proc, |path| carry(old, new, path, prefix))
}

/// The length of the path of an open file, as a list of mounts has it.
fn path_length(file: i32, state: &State) -> Result<usize, Errno> {
    syscall::read_link(state.proc, DescriptorName::of(file)?.path()?, &mut [0; 4096])
}

fn carry(old: i32, new: i32, path: &[u8], prefix: usize) -> Result<(), Errno> {
    let mut buffer = [0u8; 4096];
    let Some(path) = below(path, prefix, &mut buffer) else { return Err(ENAMETOOLONG) };
    if path.is_empty() {
        // It is the new sysfs itself, or a mount that covered the old one before it was opened.
        return Ok(());
    }
    let target = match syscall::open(new, path, O_PATH | O_NOFOLLOW) {
        // The path does not exist in the new one, for example a link of the other network.
        Err(ENOENT) => return Ok(()),
        other => other?,
    };
    let outcome = syscall::open_tree_below(old, path).and_then(|tree| {
        let outcome = syscall::move_mount(tree, target);
        syscall::close(tree);
        outcome
    });
    syscall::close(target);
    outcome.map(drop)
}

/// The path below the mount, whose own path is `prefix` bytes long.
fn below<'a>(path: &[u8], prefix: usize, buffer: &'a mut [u8; 4096]) -> Option<&'a CStr> {
    let rest = path.get(prefix..)?;
    let rest = rest.strip_prefix(b"/").unwrap_or(rest);
    buffer.get_mut(..rest.len())?.copy_from_slice(rest);
    *buffer.get_mut(rest.len())? = 0;
    CStr::from_bytes_until_nul(buffer).ok()
}

/// Unmounts the new sysfs by way of the working directory, which this function restores.
fn take_away(tree: i32) {
    let Ok(before) = syscall::open(AT_FDCWD, c".", O_PATH | O_DIRECTORY) else { return };
    if syscall::fchdir(tree).is_ok() {
        let _ = syscall::detach_working_directory_mount();
        let _ = syscall::fchdir(before);
    }
    syscall::close(before);
}
