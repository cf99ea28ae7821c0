//! The one link that every new network namespace has.

use crate::syscall::{self, Errno};

pub const SOCK_CLOEXEC: usize = 0o2_000_000;

/// `struct ifreq` of netdevice(7), as far as flags go.
#[repr(C)]
struct InterfaceRequest {
    name: [u8; 16],
    flags: u16,
    rest: [u8; 22],
}

/// Brings `lo` up; the kernel gives it 127.0.0.1 and ::1 by itself.
pub fn bring_up() -> Result<(), Errno> {
    const AF_INET: usize = 2;
    const SOCK_DGRAM: usize = 2;
    const SIOCGIFFLAGS: usize = 0x8913;
    const SIOCSIFFLAGS: usize = 0x8914;
    const IFF_UP: u16 = 1;
    let socket = syscall::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)?;
    let mut request = InterfaceRequest { name: [0; 16], flags: 0, rest: [0; 22] };
    request.name[..2].copy_from_slice(b"lo");
    // SAFETY: both requests take a `struct ifreq`, 40 bytes.
    let outcome = unsafe {
        syscall::ioctl(socket, SIOCGIFFLAGS, &mut request).and_then(|_| {
            request.flags |= IFF_UP;
            syscall::ioctl(socket, SIOCSIFFLAGS, &mut request)
        })
    };
    syscall::close(socket);
    outcome.map(drop)
}
