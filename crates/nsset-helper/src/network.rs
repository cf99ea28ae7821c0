//! Sockets that are created inside, and the places of their names.

use crate::{
    arguments::Arguments,
    loopback::SOCK_CLOEXEC,
    protocol::MessageKind,
    report::Report,
    syscall::{self, AT_FDCWD, Errno, O_DIRECTORY, O_PATH, O_RDWR},
};

/// Creates a socket and sends it. It belongs to this network namespace for its whole life, in whichever process it is
/// used.
pub fn send_socket(arguments: &mut Arguments, report: Report) -> Result<(), Errno> {
    let [domain, kind, protocol] = [arguments.number()?, arguments.number()?, arguments.number()?];
    send(syscall::socket(domain, kind | SOCK_CLOEXEC, protocol)?, report)
}

/// Opens and sends `/dev/net/tun`. Its devices are created in the network of the process that opened it (tun_chr_open()
/// of drivers/net/tun.c).
pub fn send_tun(report: Report) -> Result<(), Errno> {
    send(syscall::open(AT_FDCWD, c"/dev/net/tun", O_RDWR)?, report)
}

/// Creates a unix socket for connections, binds it to a path as this process sees it, and sends it.
pub fn send_unix_socket(arguments: &mut Arguments, report: Report) -> Result<(), Errno> {
    const AF_UNIX: usize = 1;
    const SOCK_STREAM: usize = 1;
    let path = arguments.text()?;
    let socket = syscall::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)?;
    syscall::bind_to_path(socket, path)?;
    send(socket, report)
}

/// Finds a directory as this process sees it, and sends it.
pub fn send_directory(arguments: &mut Arguments, report: Report) -> Result<(), Errno> {
    send(syscall::open(AT_FDCWD, arguments.text()?, O_PATH | O_DIRECTORY)?, report)
}

fn send(fd: i32, report: Report) -> Result<(), Errno> {
    report.send(MessageKind::Socket, 0, &[fd])?;
    syscall::close(fd);
    Ok(())
}
