//! What the packets of a link begin with.

/// How packets are captured, and the `LINKTYPE` of pcapng for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkType {
    /// With their Ethernet header.
    Ethernet,
    /// From the IP header on, on links without a header of their own: tun, wireguard, ipip, sit.
    Ip,
    /// From the network header on, with a header that describes the link (`LINUX_SLL2`): other links, and all links at once.
    Cooked,
}

/// linux/if_arp.h, what libc does not have.
const ARPHRD_RAWIP: u16 = 519;

impl LinkType {
    /// Returns the type for a hardware type, as libpcap chooses it.
    pub const fn of_hardware(hardware: u16) -> Self {
        match hardware {
            libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Self::Ethernet,
            libc::ARPHRD_NONE | ARPHRD_RAWIP | libc::ARPHRD_TUNNEL | libc::ARPHRD_TUNNEL6 | libc::ARPHRD_SIT => {
                Self::Ip
            }
            _ => Self::Cooked,
        }
    }

    /// The type of the socket. The kernel removes the header of the link from the packets of a `SOCK_DGRAM`.
    pub const fn socket_type(self) -> i32 {
        match self {
            Self::Ethernet => libc::SOCK_RAW,
            Self::Ip | Self::Cooked => libc::SOCK_DGRAM,
        }
    }

    /// The number in the registry of link types of tcpdump.org.
    pub const fn number(self) -> u16 {
        match self {
            Self::Ethernet => 1,
            Self::Ip => 101,
            Self::Cooked => 276,
        }
    }
}
