//! Creates a socket inside a set: by the calling thread, which enters for that, or by the helper if the set has a
//! `user` namespace.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    sys::stat::Mode,
};
use nsset_helper::protocol::About;

use crate::{
    error::{Error, Result, SystemError},
    helper::network_entry,
    helper::program::{Label, Program},
    helper::step_error,
    kind::{Kind, Kinds},
    namespaces::set::NamespaceSet,
    retry::uninterrupted,
};

/// Creates a close-on-exec socket in the network namespace of the set, as socket(2) does. It belongs to that network
/// wherever it is used.
///
/// Of these kinds of the set only `user` matters beside `net`: the rights of a socket depend on who created it, and
/// where. Without a foreign `user` the calling thread enters and returns; a thread that does so often should call
/// [`thread::remember`](crate::threads::thread::remember) when it starts. With a foreign `user`, the helper creates the
/// socket.
///
/// # Errors
/// [`Error::NotInSet`] without `net`, [`Error::InvalidArgument`] for a negative number, [`Error::System`] with the
/// error of socket(2) or setns(2); [`Error::Restore`] if the thread could not return: the socket is then closed, and
/// every call is [`Error::Tainted`] until the thread has returned.
pub fn open_socket(set: &NamespaceSet, kinds: Kinds, domain: i32, kind: i32, protocol: i32) -> Result<OwnedFd> {
    set.get(Kind::Net)?;
    let numbers = (check("domain", domain)?, check("type", kind)?, check("protocol", protocol)?);
    if let Some(visit) = network_entry::visit(set, kinds)? {
        let socket = make(domain, kind, protocol);
        return visit.leave_with(socket.map_err(|errno| step_error::from_step(Label::socket(), errno, About::Target)));
    }
    receive(set, kinds, |program| program.socket(numbers.0, numbers.1, numbers.2))
}

/// Opens `/dev/net/tun` in the network namespace of the set, in which its devices are then created. The way in and the
/// errors are those of [`open_socket`].
pub fn open_tun(set: &NamespaceSet, kinds: Kinds) -> Result<OwnedFd> {
    set.get(Kind::Net)?;
    if let Some(visit) = network_entry::visit(set, kinds)? {
        let device = uninterrupted(|| open("/dev/net/tun", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()));
        return visit.leave_with(device.map_err(|errno| step_error::from_step(Label::tun(), errno, About::Target)));
    }
    receive(set, kinds, Program::tun)
}

/// This calls socket(2) directly, because the numbers may be any that the kernel knows.
fn make(domain: i32, kind: i32, protocol: i32) -> std::result::Result<OwnedFd, Errno> {
    // SAFETY: plain numbers.
    let socket: RawFd = Errno::result(unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) })?;
    // SAFETY: the kernel has just made it.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}

fn receive<'fd>(set: &NamespaceSet, kinds: Kinds, step: impl Fn(&mut Program<'fd>)) -> Result<OwnedFd> {
    let answer = network_entry::run(set, kinds, |program| {
        step(program);
        Ok(())
    })?;
    answer.socket.ok_or_else(|| SystemError::new(Errno::EPROTO, "recvmsg").kind(Kind::Net).into())
}

fn check(name: &str, number: i32) -> Result<u32> {
    u32::try_from(number).map_err(|_| Error::InvalidArgument(format!("the socket's {name} is negative: {number}")))
}
