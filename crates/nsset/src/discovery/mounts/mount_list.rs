//! The mounts of a mount namespace by its number: listmount(2) and statmount(2).

use std::ffi::CString;

use nix::errno::Errno;

const SYS_STATMOUNT: libc::c_long = 457;
const SYS_LISTMOUNT: libc::c_long = 458;

/// `LSMT_ROOT`: the mounts of the whole namespace.
const ROOT: u64 = u64::MAX;

/// `STATMOUNT_SB_BASIC | STATMOUNT_MNT_ROOT | STATMOUNT_MNT_POINT`.
const WANTED: u64 = 0x01 | 0x08 | 0x10;

const NSFS_MAGIC: u64 = 0x6e73_6673;

/// `struct mnt_id_req`, version 1.
#[repr(C)]
struct Request {
    size: u32,
    spare: u32,
    mount: u64,
    parameter: u64,
    namespace: u64,
}

impl Request {
    fn new(namespace: u64, mount: u64, parameter: u64) -> Self {
        Self { size: size_of::<Self>() as u32, spare: 0, mount, parameter, namespace }
    }
}

/// The part of `struct statmount` that is read, with the offsets of the kernel.
#[repr(C)]
struct Answer {
    size: u32,
    options: u32,
    mask: u64,
    device: [u32; 2],
    magic: u64,
    flags: u32,
    file_system: u32,
    ids: [u64; 2],
    old_ids: [u32; 2],
    numbers: [u64; 5],
    root: u32,
    point: u32,
    rest: [u64; 50],
    text: [u8; TEXT],
}

/// Enough for a path (PATH_MAX) and the name of a namespace.
const TEXT: usize = 4096 + 512;

/// The offset of the text in the kernel's structure.
const _: () = assert!(std::mem::offset_of!(Answer, text) == 512);

/// The ids of all mounts of a mount namespace. `EPERM` without CAP_SYS_ADMIN in its owner, `ENOSYS` on older kernels.
pub(super) fn list(namespace: u64) -> Result<Vec<u64>, Errno> {
    let mut all = Vec::new();
    let mut page = [0u64; 512];
    loop {
        let last = all.last().copied().unwrap_or(0);
        let request = Request::new(namespace, ROOT, last);
        // SAFETY: the request with its size, and a buffer with its length.
        let count = unsafe { libc::syscall(SYS_LISTMOUNT, &raw const request, page.as_mut_ptr(), page.len(), 0) };
        let count = Errno::result(count)? as usize;
        all.extend(page.iter().take(count));
        if count < page.len() {
            return Ok(all);
        }
    }
}

/// The name and the place of a mounted namespace; `None` for other mounts.
pub(super) fn of_nsfs(namespace: u64, mount: u64) -> Option<(String, CString)> {
    let request = Request::new(namespace, mount, WANTED);
    let mut answer = Box::new(Answer::empty());
    let (into, size) = (&raw mut *answer, size_of::<Answer>());
    // SAFETY: the request with its size, and a structure of numbers with its size.
    let asked = unsafe { libc::syscall(SYS_STATMOUNT, &raw const request, into, size, 0) };
    if Errno::result(asked).is_err() || answer.magic != NSFS_MAGIC {
        return None;
    }
    let root = answer.text_at(answer.root)?.into_string().ok()?;
    Some((root, answer.text_at(answer.point)?))
}

impl Answer {
    const fn empty() -> Self {
        Self {
            size: 0,
            options: 0,
            mask: 0,
            device: [0; 2],
            magic: 0,
            flags: 0,
            file_system: 0,
            ids: [0; 2],
            old_ids: [0; 2],
            numbers: [0; 5],
            root: 0,
            point: 0,
            rest: [0; 50],
            text: [0; TEXT],
        }
    }

    fn text_at(&self, offset: u32) -> Option<CString> {
        let text = self.text.get(offset as usize..)?;
        std::ffi::CStr::from_bytes_until_nul(text).ok().map(Into::into)
    }
}
