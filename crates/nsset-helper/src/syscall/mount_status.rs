//! Mounts by their ids, without a list of text: statmount(2), listmount(2). Linux 6.8 has introduced them.

use super::{
    errno::{EINTR, EINVAL, ENOSYS, Errno},
    flags::AT_EMPTY_PATH,
    number,
    trap::{call, checked, trap, uninterrupted},
};

/// The id of the mount that a descriptor is in, which the kernel never uses again.
pub fn unique_mount_id(fd: i32) -> Result<u64, Errno> {
    const STATX_MNT_ID_UNIQUE: usize = 0x4000;
    // `struct statx` of linux/stat.h in words; `stx_mask` is at its beginning, and `stx_mnt_id` at its byte 144.
    const MNT_ID: usize = 18;
    let mut stat = [0_u64; 32];
    uninterrupted!(number::STATX, fd, c"".as_ptr(), AT_EMPTY_PATH, STATX_MNT_ID_UNIQUE, stat.as_mut_ptr())?;
    if stat[0] as usize & STATX_MNT_ID_UNIQUE == 0 { Err(ENOSYS) } else { Ok(stat[MNT_ID]) }
}

/// `struct mnt_id_req` of linux/mount.h, in its first version.
const REQUEST_SIZE: u64 = 24;

/// The ids of all mounts below one, in ascending order, from the first one after `last` on. Returns how many there are room for.
pub fn list_mounts(id: u64, last: u64, ids: &mut [u64]) -> Result<usize, Errno> {
    let request = [REQUEST_SIZE, id, last];
    call!(number::LISTMOUNT, request.as_ptr(), ids.as_mut_ptr(), ids.len(), 0)
}

/// `struct statmount` of linux/mount.h in words, and its strings: two paths.
pub struct MountStatus([u64; Self::WORDS]);

impl MountStatus {
    const STRINGS: usize = 512;
    const WORDS: usize = (Self::STRINGS + 2 * 4096) / 8;

    pub fn of(id: u64) -> Result<Self, Errno> {
        const STATMOUNT_MNT_BASIC: u64 = 0x2;
        const STATMOUNT_MNT_ROOT: u64 = 0x8;
        const STATMOUNT_MNT_POINT: u64 = 0x10;
        const WANTED: u64 = STATMOUNT_MNT_BASIC | STATMOUNT_MNT_ROOT | STATMOUNT_MNT_POINT;
        let request = [REQUEST_SIZE, id, WANTED];
        let mut status = Self([0; Self::WORDS]);
        call!(number::STATMOUNT, request.as_ptr(), status.0.as_mut_ptr(), size_of::<Self>(), 0)?;
        if status.0[1] & WANTED == WANTED { Ok(status) } else { Err(EINVAL) }
    }

    /// The id of the mount that it is on.
    pub fn parent(&self) -> u64 {
        self.0[6]
    }

    /// Whether its root is the root directory of its file system.
    pub fn is_whole(&self) -> bool {
        self.string(self.0[13] as u32) == b"/"
    }

    /// Its mount point, as this process sees it.
    pub fn path(&self) -> &[u8] {
        self.string((self.0[13] >> 32) as u32)
    }

    fn string(&self, offset: u32) -> &[u8] {
        // SAFETY: the words are initialised, and bytes may be anywhere.
        let bytes = unsafe { core::slice::from_raw_parts(self.0.as_ptr().cast::<u8>(), size_of::<Self>()) };
        let rest = bytes.get(Self::STRINGS + offset as usize..).unwrap_or_default();
        rest.split(|byte| *byte == 0).next().unwrap_or_default()
    }
}
