//! What all tunnels over IP can have: an encapsulation in UDP, and packets that say themselves where they go.

use serde::{Deserialize, Serialize};

use crate::netlink::{
    attributes::Malformed,
    settings::{flags, words},
    value::Value,
};

/// A struct of the settings of a tunnel, with those that all tunnels have. Their attributes have consecutive numbers:
/// `IFLA_IPTUN_ENCAP_TYPE` to `IFLA_IPTUN_COLLECT_METADATA` and `IFLA_GRE_ENCAP_TYPE` to `IFLA_GRE_COLLECT_METADATA` of
/// linux/if_tunnel.h.
macro_rules! tunnel {
    (
        $(#[$of_struct:meta])*
        pub struct $name:ident, encap from $first:literal {
            $($fields:tt)*
        }
    ) => {
        crate::netlink::settings::settings! {
            $(#[$of_struct])*
            pub struct $name {
                $($fields)*
                /// The protocol over UDP in which the packets are.
                encap: crate::link::kinds::tunnels::encap::TunnelEncap = $first,
                encap_flags: Vec<crate::link::kinds::tunnels::encap::TunnelEncapFlag> = $first + 1,
                /// 0 is one that depends on the flow.
                encap_source_port: crate::netlink::value::NetworkOrder<u16> = $first + 2,
                encap_port: crate::netlink::value::NetworkOrder<u16> = $first + 3,
                /// Whether each packet says where it goes.
                external: crate::link::kinds::tunnels::encap::Flag = $first + 4,
            }
        }

        impl $name {
            /// Reads a tunnel. The kernel reports ports and flags also without an encapsulation.
            pub(crate) fn read_tunnel(data: &[u8]) -> Self {
                let tunnel = Self::read(data);
                if tunnel.encap.is_some() {
                    return tunnel;
                }
                Self { encap_flags: None, encap_source_port: None, encap_port: None, ..tunnel }
            }
        }
    };
}

pub(super) use tunnel;

words! {
    /// A protocol over UDP: `TUNNEL_ENCAP_*` of linux/if_tunnel.h.
    pub enum TunnelEncap: u16 {
        /// Foo over UDP: the packet as it is.
        Fou = 1 => "fou",
        /// Generic UDP encapsulation.
        Gue = 2 => "gue",
    }
}

flags! {
    /// `TUNNEL_ENCAP_FLAG_*` of linux/if_tunnel.h.
    pub enum TunnelEncapFlag: u16 {
        /// UDP over IPv4 has a checksum.
        Checksum = 1 => "checksum",
        /// UDP over IPv6 has a checksum.
        Checksum6 = 2 => "checksum6",
        /// GUE lets the other end compute the inner checksum.
        RemoteChecksum = 4 => "remote-checksum",
    }
}

/// An attribute without a value, which is there or not (`NLA_FLAG`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag;

impl Serialize for Flag {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if bool::deserialize(deserializer)? {
            return Ok(Self);
        }
        Err(serde::de::Error::custom("a flag is true, or is not there"))
    }
}

impl Value for Flag {
    fn write(&self) -> Vec<u8> {
        Vec::new()
    }

    /// The kernel lists some of them as a byte, which is 0 if the flag is not there.
    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.first() == Some(&0) { Err(Malformed) } else { Ok(Self) }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{carrier::carried_by, ipip::Ipip},
        *,
    };
    use crate::netlink::value::NetworkOrder;

    #[test]
    fn ports_and_flags_come_back_only_with_an_encapsulation() {
        let encap = Ipip {
            encap: Some(TunnelEncap::Gue),
            encap_flags: Some(vec![TunnelEncapFlag::Checksum, TunnelEncapFlag::RemoteChecksum]),
            encap_source_port: Some(NetworkOrder(0)),
            encap_port: Some(NetworkOrder(5555)),
            ..Ipip::default()
        };
        assert_eq!(Ipip::read_tunnel(&carried_by(None, encap.attributes())), encap);
        assert_eq!(Ipip::read_tunnel(&Ipip { encap: None, ..encap }.bytes()), Ipip::default());
    }

    #[test]
    fn a_flag_is_there_or_not() {
        let external = Ipip { external: Some(Flag), ..Ipip::default() };
        assert_eq!(external.bytes(), [4, 0, 19, 0]);
        assert_eq!(Ipip::read_tunnel(&external.bytes()), external);
        assert_eq!(serde_json::to_string(&external).unwrap(), r#"{"external":true}"#);
        assert_eq!(serde_json::from_str::<Ipip>(r#"{"external":true}"#).unwrap(), external);
    }
}
