//! Reads the capabilities of the calling thread: capabilities(7).

#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum Capability {
    SetGid = 6,
    SetUid = 7,
    SysAdmin = 21,
}

/// `_LINUX_CAPABILITY_VERSION_3` of capget(2): two words of each set.
const VERSION: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Whether the calling thread has the capability in effect, in its own user namespace.
pub fn has(capability: Capability) -> bool {
    let mut header = Header { version: VERSION, pid: 0 };
    let mut data = [Data::default(); 2];
    // SAFETY: the header and the two words are laid out as capget(2) has them for this version.
    let result = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, data.as_mut_ptr()) };
    result == 0 && data[0].effective & (1 << capability as u8) != 0
}
