//! The network of PID 1 that the helper makes while PID 1 mounts: each takes the kernel half a millisecond or more, under
//! locks of its own.

use crate::{
    protocol::MessageKind,
    report::Report,
    state::{NetworkPair, State},
    syscall::{self, CLONE_NEWNET, EIO, Errno, MessageHeader, O_RDONLY, Part},
};

/// To be made before PID 1 is started.
pub fn make_pair(state: &mut State) -> Result<(), Errno> {
    let [helper, init] = syscall::socket_pair()?;
    state.network_pair = Some(NetworkPair { helper, init });
    Ok(())
}

/// The helper sends its network.
pub fn send(state: &mut State) -> Result<(), Errno> {
    let pair = state.network_pair.take().ok_or(EIO)?;
    syscall::close(pair.init);
    let network = syscall::open(state.proc, c"self/ns/net", O_RDONLY)?;
    Report { control: pair.helper, ..state.report }.send(MessageKind::Namespaces, 0, &[network])?;
    syscall::close(network);
    syscall::close(pair.helper);
    Ok(())
}

/// PID 1 joins the network. It is an error if the helper ended before it was made.
pub fn take(state: &mut State) -> Result<(), Errno> {
    let pair = state.network_pair.take().ok_or(EIO)?;
    syscall::close(pair.helper);
    let network = receive(pair.init)?;
    syscall::close(pair.init);
    syscall::setns(network, CLONE_NEWNET)?;
    syscall::close(network);
    Ok(())
}

fn receive(socket: i32) -> Result<i32, Errno> {
    // `struct cmsghdr` and one descriptor.
    const RIGHTS_LENGTH: u64 = 20;
    let mut rights = [0_u64; 3];
    let mut message = [0_u8; 16];
    let parts = [Part { base: message.as_mut_ptr(), length: message.len() }];
    let mut header = MessageHeader::new(&parts).with_control(rights.as_mut_ptr().cast(), size_of_val(&rights));
    // SAFETY: all it points to is in this frame, and the kernel may write to it.
    let length = unsafe { syscall::recvmsg(socket, &mut header) }?;
    if length == 0 || rights[0] != RIGHTS_LENGTH {
        return Err(EIO);
    }
    let [b0, b1, b2, b3, ..] = rights[2].to_ne_bytes();
    Ok(i32::from_ne_bytes([b0, b1, b2, b3]))
}
