//! The start of a connection: the host connects first, and only then is the connection accepted inside.

use std::{io, net::SocketAddr};

use nix::errno::Errno;

use crate::{
    flows::{Flow, host_stream::HostStream, permission},
    names_service::serve_stream,
    packets::{icmp_error::IcmpError, traffic_class::TrafficClass},
    rules::Reason,
    shared::Shared,
};

/// Why there is no connection.
pub enum Refused {
    /// By the rules.
    ByRule(Reason),
    /// By the host.
    ByHost(io::Error),
    /// The end inside has gone, or the flow has ended.
    Gone,
}

/// Connects from the host, with packets of a class, if the flow is allowed.
pub async fn connect(
    flow: &Flow,
    to: SocketAddr,
    class: TrafficClass,
    shared: &std::rc::Rc<Shared>,
) -> Result<HostStream, Refused> {
    if shared.settings.answers(to) {
        let (stream, service) = HostStream::pair().map_err(Refused::ByHost)?;
        tokio::task::spawn_local(serve_stream(std::rc::Rc::clone(shared), service));
        return Ok(stream);
    }
    tokio::select! {
        connected = async {
            permission::ask(flow, shared).await.map_err(Refused::ByRule)?;
            HostStream::connect(to, class).await.map_err(Refused::ByHost)
        } => connected,
        () = gone(flow) => Err(Refused::Gone),
    }
}

async fn gone(flow: &Flow) {
    while !flow.is_ended() {
        flow.wake.notified().await;
    }
}

/// The message for an error of connect(2). `None`: the connection is reset, as one that is refused.
pub fn message_of(error: &io::Error) -> Option<IcmpError> {
    match error.raw_os_error().map(Errno::from_raw)? {
        Errno::ENETUNREACH | Errno::EADDRNOTAVAIL | Errno::EAFNOSUPPORT => Some(IcmpError::Network),
        Errno::EHOSTUNREACH | Errno::EHOSTDOWN | Errno::ETIMEDOUT => Some(IcmpError::Host),
        Errno::EACCES | Errno::EPERM => Some(IcmpError::Prohibited),
        _ => None,
    }
}
