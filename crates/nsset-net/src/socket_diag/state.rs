//! The states of sockets: `TCP_*` of net/tcp_states.h, which all protocols use.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SocketState {
    Established,
    SynSent,
    SynReceived,
    #[serde(rename = "fin-wait-1")]
    FinWait1,
    #[serde(rename = "fin-wait-2")]
    FinWait2,
    TimeWait,
    /// Neither connected nor listening, such as a UDP socket that is only bound.
    Unconnected,
    CloseWait,
    LastAck,
    Listen,
    Closing,
    #[serde(untagged)]
    Other(u8),
}

/// In the order of their numbers, which begin with 1.
const STATES: [SocketState; 12] = [
    SocketState::Established,
    SocketState::SynSent,
    SocketState::SynReceived,
    SocketState::FinWait1,
    SocketState::FinWait2,
    SocketState::TimeWait,
    SocketState::Unconnected,
    SocketState::CloseWait,
    SocketState::LastAck,
    SocketState::Listen,
    SocketState::Closing,
    // `TCP_NEW_SYN_RECV`: a connection that has no socket yet.
    SocketState::SynReceived,
];

impl From<u8> for SocketState {
    fn from(number: u8) -> Self {
        let index = usize::from(number).checked_sub(1);
        index.and_then(|index| STATES.get(index)).copied().unwrap_or(Self::Other(number))
    }
}

impl SocketState {
    /// The bits of these states in a request; all bits if there are none.
    pub(super) fn mask(states: &[Self]) -> u32 {
        if states.is_empty() {
            return u32::MAX;
        }
        let bit = |(state, number): (&Self, u32)| if states.contains(state) { 1 << number } else { 0 };
        STATES.iter().zip(1..).map(bit).fold(0, |mask, bit| mask | bit)
    }
}
