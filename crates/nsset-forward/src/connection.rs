//! Forwards the connections of a listening socket.

use std::{io, rc::Rc, sync::Arc};

use futures_util::future::try_join;
use nix::errno::Errno;
use socket2::Socket;
use tokio::{io::unix::AsyncFd, task::JoinSet, time::sleep};

use crate::{
    async_socket::register,
    counters::{Counters, Direction},
    exhaustion,
    pipes::Pipes,
    stop::StopReceiver,
    stream::Stream,
    target::Target,
};

/// Accepts connections from a listening socket and connects each to the target, until it is stopped. Returns when all connections
/// have ended.
///
/// If the target refuses a connection, or one leg is reset, the other leg is reset as well.
///
/// # Errors
/// The error of epoll_ctl(2) if the socket cannot be waited for.
pub async fn forward_connections(
    listener: Socket,
    target: Target,
    counters: Arc<Counters>,
    mut stop: StopReceiver,
) -> io::Result<()> {
    let listener = register(listener)?;
    let pipes = Rc::new(Pipes::default());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.stopped() => break,
            client = accept(&listener) => {
                connections.spawn_local(serve(client, target.clone(), Rc::clone(&pipes), Arc::clone(&counters)));
            }
            // Frees the memory of those that have ended.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    tokio::select! {
        () = async { while connections.join_next().await.is_some() {} } => {}
        () = stop.grace_ended() => connections.shutdown().await,
    }
    Ok(())
}

async fn accept(listener: &AsyncFd<Socket>) -> Socket {
    loop {
        let accepted = match listener.readable().await {
            Ok(mut ready) => ready.try_io(|listener| listener.get_ref().accept()),
            Err(error) => Ok(Err(error)),
        };
        match accepted {
            Ok(Ok((client, _))) => return client,
            // Another process may share the socket, or the client has gone.
            Err(_would_block) => {}
            Ok(Err(error)) if is_of_client(&error) => {}
            Ok(Err(_)) => sleep(exhaustion::PAUSE).await,
        }
    }
}

/// Whether the error of accept(2) belongs to the connection that was to be accepted, as that page lists them.
fn is_of_client(error: &io::Error) -> bool {
    let of_client = [
        Errno::ECONNABORTED,
        Errno::EHOSTDOWN,
        Errno::EHOSTUNREACH,
        Errno::EINTR,
        Errno::ENETDOWN,
        Errno::ENETUNREACH,
        Errno::ENONET,
        Errno::ENOPROTOOPT,
        Errno::EOPNOTSUPP,
        Errno::EPERM,
        Errno::EPROTO,
    ];
    error.raw_os_error().is_some_and(|errno| of_client.contains(&Errno::from_raw(errno)))
}

async fn serve(client: Socket, target: Target, pipes: Rc<Pipes>, counters: Arc<Counters>) {
    let _open = counters.open();
    if relay(client, &target, &pipes, &counters).await.is_err() {
        counters.fail();
    }
}

/// Connects to the target and moves bytes in both directions. An error drops both streams, which resets them.
async fn relay(client: Socket, target: &Target, pipes: &Pipes, counters: &Counters) -> io::Result<()> {
    let client = Stream::new(client)?;
    let server = tokio::select! {
        connected = target.connect() => connected?,
        // Nothing else would end an attempt for a client that has gone.
        error = client.failed() => return Err(error),
    };
    try_join(
        client.pump(&server, pipes, counters, Direction::ToTarget),
        server.pump(&client, pipes, counters, Direction::FromTarget),
    )
    .await?;
    client.finish();
    server.finish();
    Ok(())
}
