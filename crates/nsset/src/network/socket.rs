//! Makes a socket inside a set: by the calling thread, which goes in for it, or by the helper where there is a `user`.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    sys::stat::Mode,
};
use nsset_helper::protocol::About;

use crate::{
    error::{Error, Result, SystemError},
    helper::conversation,
    helper::inside,
    helper::program::{Label, Program},
    helper::step_error,
    kind::{Kind, Kinds},
    namespaces::set::NamespaceSet,
    retry::uninterrupted,
};

/// Makes a socket in the set's network namespace, as socket(2), close-on-exec. It stays there, wherever it is used
/// from.
///
/// Of these kinds of the set only `user` counts beside `net`: what the socket may do it owes to who made it, and where.
/// Without a foreign `user` the calling thread goes in itself and comes back; a thread that does so often calls
/// [`thread::remember`](crate::threads::thread::remember) when it starts. With one, the helper goes.
///
/// # Errors
/// [`Error::NotInSet`] without `net`, [`Error::InvalidArgument`] for a number below 0, [`Error::System`] with what
/// socket(2) or setns(2) said; [`Error::Restore`] when the thread could not come back: the socket is closed then, and
/// until the thread is back every call is [`Error::Tainted`].
pub fn open_socket(set: &NamespaceSet, kinds: Kinds, domain: i32, kind: i32, protocol: i32) -> Result<OwnedFd> {
    set.get(Kind::Net)?;
    let numbers = (check("domain", domain)?, check("type", kind)?, check("protocol", protocol)?);
    if let Some(visit) = inside::visit(set, kinds)? {
        let socket = make(domain, kind, protocol);
        return visit.leave_with(socket.map_err(|errno| step_error::from_step(Label::socket(), errno, About::Target)));
    }
    let mut program = inside::program(set, kinds)?;
    program.socket(numbers.0, numbers.1, numbers.2);
    receive(&program)
}

/// Opens `/dev/net/tun` in the set's network namespace, into which the devices that are made with it come. The way in
/// and the errors are those of [`open_socket`].
pub fn open_tun(set: &NamespaceSet, kinds: Kinds) -> Result<OwnedFd> {
    set.get(Kind::Net)?;
    if let Some(visit) = inside::visit(set, kinds)? {
        let device = uninterrupted(|| open("/dev/net/tun", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()));
        return visit.leave_with(device.map_err(|errno| step_error::from_step(Label::tun(), errno, About::Target)));
    }
    let mut program = inside::program(set, kinds)?;
    program.tun();
    receive(&program)
}

/// By hand, because the numbers may be any that the kernel knows.
fn make(domain: i32, kind: i32, protocol: i32) -> std::result::Result<OwnedFd, Errno> {
    // SAFETY: plain numbers.
    let socket: RawFd = Errno::result(unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) })?;
    // SAFETY: the kernel has just made it.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}

fn receive(program: &Program<'_>) -> Result<OwnedFd> {
    let outcome = conversation::run(program, &[], None, &mut |_| Ok(()))?;
    conversation::dismiss(outcome.process);
    outcome.socket.ok_or_else(|| SystemError::new(Errno::EPROTO, "recvmsg").kind(Kind::Net).into())
}

fn check(name: &str, number: i32) -> Result<u32> {
    u32::try_from(number).map_err(|_| Error::InvalidArgument(format!("the socket's {name} is negative: {number}")))
}
