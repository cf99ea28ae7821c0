//! The one link that every new network namespace has, and sockets that are born inside.

use crate::{
    arguments::Arguments,
    protocol::Saying,
    report::Report,
    syscall::{self, AT_FDCWD, Errno, O_RDWR},
};

const SOCK_CLOEXEC: usize = 0o2_000_000;

/// `struct ifreq` of netdevice(7), as far as flags go.
#[repr(C)]
struct InterfaceRequest {
    name: [u8; 16],
    flags: u16,
    rest: [u8; 22],
}

/// Brings `lo` up; the kernel gives it 127.0.0.1 and ::1 by itself.
pub fn bring_loopback_up() -> Result<(), Errno> {
    const AF_INET: usize = 2;
    const SOCK_DGRAM: usize = 2;
    const SIOCGIFFLAGS: usize = 0x8913;
    const SIOCSIFFLAGS: usize = 0x8914;
    const IFF_UP: u16 = 1;
    let socket = syscall::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)?;
    let mut request = InterfaceRequest { name: [0; 16], flags: 0, rest: [0; 22] };
    request.name[..2].copy_from_slice(b"lo");
    // SAFETY: both requests take a `struct ifreq`, 40 bytes.
    unsafe {
        syscall::ioctl(socket, SIOCGIFFLAGS, &mut request)?;
        request.flags |= IFF_UP;
        syscall::ioctl(socket, SIOCSIFFLAGS, &mut request)?;
    }
    syscall::close(socket);
    Ok(())
}

/// Makes a socket and hands it over: it belongs to this network namespace for good, wherever it is used from.
pub fn send_socket(arguments: &mut Arguments, report: Report) -> Result<(), Errno> {
    let [domain, kind, protocol] = [arguments.number()?, arguments.number()?, arguments.number()?];
    send(syscall::socket(domain, kind | SOCK_CLOEXEC, protocol)?, report)
}

/// The same with `/dev/net/tun`, whose devices come into the network of who opened it (tun_chr_open() of
/// drivers/net/tun.c).
pub fn send_tun(report: Report) -> Result<(), Errno> {
    send(syscall::open(AT_FDCWD, c"/dev/net/tun", O_RDWR)?, report)
}

fn send(fd: i32, report: Report) -> Result<(), Errno> {
    report.say(Saying::Socket, 0, &[fd])?;
    syscall::close(fd);
    Ok(())
}
