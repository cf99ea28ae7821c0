//! The types of values, as nft(8) has them: how they are written, and what the kernel gets.

use super::names::{self, Names};

/// How a value of a type is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Number,
    /// Bits, each with a name. A list of them is their sum.
    Flags,
    Ipv4,
    Ipv6,
    Mac,
    /// The name of a link, which may end with `*`.
    LinkName,
    /// A text, such as the kind of a link.
    Text,
    /// A time of day, `HH:MM` or `HH:MM:SS`.
    Hour,
    /// A point in time, as ISO 8601 has it, in UTC.
    Date,
    /// The number of a bit.
    Bit,
    /// Hexadecimal digits after `0x`.
    Octets,
}

/// In which order the kernel has the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Host,
    Network,
}

/// A type of nft(8): its name, its number in sets, its size in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DataType {
    pub name: &'static str,
    pub id: u32,
    pub size: usize,
    pub order: Order,
    pub format: Format,
    pub names: Names,
}

macro_rules! types {
    ($($constant:ident = $name:literal $id:literal $size:literal $order:ident $format:ident $($names:ident)?;)*) => {
        $(pub(crate) static $constant: DataType = DataType {
            name: $name,
            id: $id,
            size: $size,
            order: Order::$order,
            format: Format::$format,
            names: types!(@names $($names)?),
        };)*

        static TYPES: &[&DataType] = &[$(&$constant),*];
    };
    (@names) => { &[] };
    (@names $names:ident) => { names::$names };
}

// The numbers are those of `enum datatypes` of nftables, which nft(8) reads in the type of a set's key.
types! {
    NFPROTO = "nf_proto" 2 1 Host Number NFPROTO;
    BYTE = "integer" 4 1 Network Number;
    SHORT = "integer" 4 2 Network Number;
    WORD = "integer" 4 4 Network Number;
    HOST_SHORT = "integer" 4 2 Host Number;
    HOST_WORD = "integer" 4 4 Host Number;
    HOST_LONG = "integer" 4 8 Host Number;
    LINK_KIND = "string" 5 16 Host Text;
    HELPER = "string" 5 16 Host Text;
    FINGERPRINT = "string" 5 16 Host Text;
    FLOW_LABEL = "integer" 4 3 Network Number;
    IPV4 = "ipv4_addr" 7 4 Network Ipv4;
    IPV6 = "ipv6_addr" 8 16 Network Ipv6;
    MAC = "ether_addr" 9 6 Network Mac;
    ETHER_TYPE = "ether_type" 10 2 Network Number ETHER_TYPE;
    ARP_OPERATION = "arp_op" 11 2 Network Number ARP_OPERATION;
    PROTOCOL = "inet_proto" 12 1 Network Number PROTOCOL;
    PORT = "inet_service" 13 2 Network Number;
    ICMP_TYPE = "icmp_type" 14 1 Network Number ICMP_TYPE;
    TCP_FLAGS = "tcp_flag" 15 1 Network Flags TCP_FLAGS;
    EXPIRATION = "time" 18 4 Host Number;
    MARK = "mark" 19 4 Host Number;
    LINK_INDEX = "iface_index" 20 4 Host Number;
    HARDWARE = "iface_type" 21 2 Host Number HARDWARE;
    REALM = "realm" 22 4 Host Number;
    UID = "uid" 24 4 Host Number;
    GID = "gid" 25 4 Host Number;
    CT_STATE = "ct_state" 26 4 Host Flags CT_STATE;
    CT_DIRECTION = "ct_dir" 27 1 Host Number CT_DIRECTION;
    CT_STATUS = "ct_status" 28 4 Host Flags CT_STATUS;
    ICMPV6_TYPE = "icmpv6_type" 29 1 Network Number ICMPV6_TYPE;
    CT_LABEL = "ct_label" 30 16 Host Bit;
    PACKET_TYPE = "pkt_type" 31 1 Host Number PACKET_TYPE;
    LINK_GROUP = "devgroup" 35 4 Host Number;
    DSCP = "dscp" 36 1 Network Number;
    DSCP_OF_IPV6 = "dscp" 36 2 Network Number;
    ECN = "ecn" 37 1 Network Number ECN;
    FIB_TYPE = "fib_addrtype" 38 4 Host Number FIB_TYPE;
    BOOLEAN = "boolean" 39 1 Host Number PRESENCE;
    // One byte since nftables 1.1.
    PRESENCE = "boolean" 39 4 Host Number PRESENCE;
    CT_EVENT = "ct_event" 40 4 Host Flags CT_EVENT;
    LINK_NAME = "ifname" 41 16 Host LinkName;
    DATE = "time" 43 8 Host Date;
    HOUR = "hour" 44 4 Host Hour;
    DAY = "day" 45 1 Host Number DAY;
}

const fn octets(size: usize) -> DataType {
    DataType { name: "integer", id: 4, size, order: Order::Network, format: Format::Octets, names: &[] }
}

/// Bytes of a packet, by their number.
pub(crate) static OCTETS: [DataType; 17] = [
    octets(0),
    octets(1),
    octets(2),
    octets(3),
    octets(4),
    octets(5),
    octets(6),
    octets(7),
    octets(8),
    octets(9),
    octets(10),
    octets(11),
    octets(12),
    octets(13),
    octets(14),
    octets(15),
    octets(16),
];

/// Types that are not the whole truth about a key: a name has several sizes.
const NAMELESS: &[&str] = &["integer", "string", "time", "ct_label"];

impl DataType {
    /// Returns the type with this name, of those that the key of a set can have.
    pub fn named(name: &str) -> Option<&'static Self> {
        TYPES.iter().copied().find(|known| known.name == name && !NAMELESS.contains(&known.name))
    }

    /// Returns the type with this number.
    pub fn numbered(id: u32) -> Option<&'static Self> {
        TYPES.iter().copied().find(|known| known.id == id && !NAMELESS.contains(&known.name))
    }

    /// Returns the size of a key in bytes. The values of a concatenation start at multiples of four bytes.
    pub fn size_of(types: &[&Self]) -> usize {
        match types {
            [one] => one.size,
            many => many.iter().map(|data| data.size.next_multiple_of(4)).sum(),
        }
    }

    /// Returns the number of a concatenation.
    pub fn numbers(types: &[&Self]) -> u32 {
        types.iter().fold(0, |all, data| all << 6 | data.id)
    }

    /// Returns the types of a concatenation; `None` if one of them has no name here.
    pub fn concatenated(number: u32) -> Option<Vec<&'static Self>> {
        let mut types: Vec<_> = (0..5)
            .map(|field| number >> (6 * field) & 0x3f)
            .take_while(|id| *id != 0)
            .map(Self::numbered)
            .collect::<Option<_>>()?;
        types.reverse();
        Some(types)
    }
}
