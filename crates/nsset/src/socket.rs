//! Makes a socket inside a set, by way of the helper: the calling thread stays where it is.

use std::os::fd::OwnedFd;

use nix::errno::Errno;

use crate::{
    conversation,
    error::{Error, Result, SystemError},
    kind::{Kind, Kinds},
    plan,
    program::Program,
    set::NamespaceSet,
};

/// Makes a socket in the set's network namespace, as socket(2), close-on-exec. It stays there, wherever it is used from.
///
/// Of these kinds of the set only `net` counts, and `user`: what the socket may do it owes to who made it, and where.
pub fn open_socket(set: &NamespaceSet, kinds: Kinds, domain: i32, kind: i32, protocol: i32) -> Result<OwnedFd> {
    set.get(Kind::Net)?;
    let domain = check("domain", domain)?;
    let kind = check("type", kind)?;
    let protocol = check("protocol", protocol)?;

    let mut program = go_inside(set, kinds)?;
    program.socket(domain, kind, protocol);
    receive(&program)
}

/// Opens `/dev/net/tun` in the set's network namespace, into which the devices that are made with it come.
pub fn open_tun(set: &NamespaceSet, kinds: Kinds) -> Result<OwnedFd> {
    set.get(Kind::Net)?;
    let mut program = go_inside(set, kinds)?;
    program.tun();
    receive(&program)
}

fn go_inside(set: &NamespaceSet, kinds: Kinds) -> Result<Program<'static>> {
    let wanted = [Kind::User, Kind::Net].into_iter().filter(|kind| kinds.contains(*kind)).collect();
    let mut program = Program::new();
    let joined = plan::go_inside(&mut program, set, wanted)?;
    if joined.contains(Kind::User) {
        program.somebody();
    }
    Ok(program)
}

fn receive(program: &Program<'_>) -> Result<OwnedFd> {
    let outcome = conversation::run(program, &[], None, &mut |_| Ok(()))?;
    conversation::dismiss(outcome.process);
    outcome.socket.ok_or_else(|| SystemError::new(Errno::EPROTO, "recvmsg").kind(Kind::Net).into())
}

fn check(name: &str, number: i32) -> Result<u32> {
    u32::try_from(number).map_err(|_| Error::InvalidArgument(format!("the socket's {name} is negative: {number}")))
}
