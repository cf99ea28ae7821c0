//! The protocols of connections, by name or by number.

use serde::{Deserialize, Serialize};

/// The protocol of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrackedProtocol {
    Icmp,
    Tcp,
    Udp,
    Dccp,
    Gre,
    Icmpv6,
    Sctp,
    Udplite,
    #[serde(untagged)]
    Other(u8),
}

/// The protocols that have a name: `IPPROTO_*` of ip(7).
const NAMED: [(TrackedProtocol, u8); 8] = [
    (TrackedProtocol::Icmp, 1),
    (TrackedProtocol::Tcp, 6),
    (TrackedProtocol::Udp, 17),
    (TrackedProtocol::Dccp, 33),
    (TrackedProtocol::Gre, 47),
    (TrackedProtocol::Icmpv6, 58),
    (TrackedProtocol::Sctp, 132),
    (TrackedProtocol::Udplite, 136),
];

impl From<u8> for TrackedProtocol {
    fn from(number: u8) -> Self {
        NAMED.iter().find(|(_, known)| *known == number).map_or(Self::Other(number), |(protocol, _)| *protocol)
    }
}

impl TrackedProtocol {
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Other(number) => number,
            named => NAMED.iter().find(|(protocol, _)| *protocol == named).map_or(0, |(_, number)| *number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_has_its_name_or_its_number() {
        for (number, text) in [(6, r#""tcp""#), (58, r#""icmpv6""#), (50, "50")] {
            let protocol = TrackedProtocol::from(number);
            assert_eq!(serde_json::to_string(&protocol).unwrap(), text);
            assert_eq!(serde_json::from_str::<TrackedProtocol>(text).unwrap(), protocol);
            assert_eq!(protocol.number(), number);
        }
    }
}
