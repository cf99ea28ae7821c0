//! The states of connections of TCP and SCTP: `enum tcp_conntrack` and `enum sctp_conntrack` of linux/netfilter.

use serde::{Deserialize, Serialize};

/// The state of a connection, as conntrack(8) names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionState {
    None,
    SynSent,
    SynRecv,
    Established,
    FinWait,
    CloseWait,
    LastAck,
    TimeWait,
    Close,
    SynSent2,
    Closed,
    CookieWait,
    CookieEchoed,
    ShutdownSent,
    ShutdownRecd,
    ShutdownAckSent,
    HeartbeatSent,
}

/// In the order of their numbers.
const OF_TCP: [ConnectionState; 10] = [
    ConnectionState::None,
    ConnectionState::SynSent,
    ConnectionState::SynRecv,
    ConnectionState::Established,
    ConnectionState::FinWait,
    ConnectionState::CloseWait,
    ConnectionState::LastAck,
    ConnectionState::TimeWait,
    ConnectionState::Close,
    ConnectionState::SynSent2,
];

const OF_SCTP: [ConnectionState; 9] = [
    ConnectionState::None,
    ConnectionState::Closed,
    ConnectionState::CookieWait,
    ConnectionState::CookieEchoed,
    ConnectionState::Established,
    ConnectionState::ShutdownSent,
    ConnectionState::ShutdownRecd,
    ConnectionState::ShutdownAckSent,
    ConnectionState::HeartbeatSent,
];

impl ConnectionState {
    pub(super) fn of_tcp(number: u8) -> Option<Self> {
        OF_TCP.get(usize::from(number)).copied()
    }

    pub(super) fn of_sctp(number: u8) -> Option<Self> {
        OF_SCTP.get(usize::from(number)).copied()
    }
}
