//! The selectors that have a name: fields of packets, `meta`, `ct`.

use super::{
    data_type as types,
    source::{Bits, Header, Known, Requirement, Source},
};
use crate::firewall::expression::load::{
    exthdr::{IPV4_OPTION, IPV6, SCTP_CHUNK, TCP_OPTION},
    payload::{LINK, NETWORK, TRANSPORT},
};

use Requirement::{Arp, Ether, Ipv4, Ipv6, Protocol, Vlan};

pub(super) const NOTHING: &[Requirement] = &[];

macro_rules! payload {
    ($base:ident, $requires:expr, $($name:literal $offset:literal $data:ident),* $(,)?) => {
        &[$(Known {
            name: $name,
            source: Source::Payload($base, $offset, types::$data.size as u32),
            data: &types::$data,
            bits: None,
            requires: $requires,
        }),*]
    };
}

/// Fields that are some bits of a number, with their mask.
macro_rules! bits {
    ($base:ident, $requires:expr, $($name:literal $offset:literal $mask:literal $data:ident),* $(,)?) => {
        &[$(Known {
            name: $name,
            source: Source::Payload($base, $offset, types::$data.size as u32),
            data: &types::$data,
            bits: Some(Bits { mask: $mask, shift: ($mask as u32).trailing_zeros() as u8 }),
            requires: $requires,
        }),*]
    };
}

macro_rules! keys {
    ($source:expr, $($name:literal $key:literal $data:ident),* $(,)?) => {
        &[$(Known { name: $name, source: $source($key), data: &types::$data, bits: None, requires: NOTHING }),*]
    };
}

/// A header or an option, and its fields: their offset, type and, if they are some bits, mask.
macro_rules! header {
    ($operation:ident, $requires:expr, $name:literal $kind:literal { $($field:literal $offset:literal $data:ident $($mask:literal)?),* $(,)? }) => {
        &[
            Known {
                name: $name,
                source: Source::Header(Header { operation: $operation, kind: $kind, offset: 0, length: 1, is_presence: true }),
                data: &types::BOOLEAN,
                bits: None,
                requires: $requires,
            },
            $(Known {
                name: $field,
                source: Source::Header(Header {
                    operation: $operation,
                    kind: $kind,
                    offset: $offset,
                    length: types::$data.size as u32,
                    is_presence: false,
                }),
                data: &types::$data,
                bits: header!(@bits $($mask)?),
                requires: $requires,
            }),*
        ]
    };
    (@bits) => { None };
    (@bits $mask:literal) => { Some(Bits { mask: $mask, shift: ($mask as u32).trailing_zeros() as u8 }) };
}

const fn ct(key: u32) -> Source {
    Source::Ct(key, None)
}

const fn original(key: u32) -> Source {
    Source::Ct(key, Some(0))
}

const fn reply(key: u32) -> Source {
    Source::Ct(key, Some(1))
}

const fn socket(key: u32) -> Source {
    Source::Socket(key, None)
}

const fn ipsec_in(key: u32) -> Source {
    Source::Ipsec(key, 0, 0)
}

const fn ipsec_out(key: u32) -> Source {
    Source::Ipsec(key, 1, 0)
}

const fn fingerprint(flags: u32) -> Source {
    Source::Fingerprint(0, flags)
}

const TCP: &[Requirement] = &[Protocol(6)];
const UDP: &[Requirement] = &[Protocol(17)];
const SCTP: &[Requirement] = &[Protocol(132)];
const DCCP: &[Requirement] = &[Protocol(33)];
const IGMP: &[Requirement] = &[Ipv4, Protocol(2)];
const AH: &[Requirement] = &[Protocol(51)];
const COMP: &[Requirement] = &[Protocol(108)];
const VLAN: &[Requirement] = &[Ether, Vlan];

/// Of selectors with the same source, the first whose requirements are met names it.
pub(super) static TABLES: &[&[Known]] = &[
    payload!(LINK, &[Ether], "ether daddr" 0 MAC, "ether saddr" 6 MAC, "ether type" 12 ETHER_TYPE),
    bits!(LINK, VLAN, "vlan id" 14 0x0fff SHORT, "vlan pcp" 14 0xe0 BYTE, "vlan dei" 14 0x10 BYTE),
    payload!(LINK, VLAN, "vlan type" 16 ETHER_TYPE),
    payload!(NETWORK, &[Ipv4], "ip length" 2 SHORT, "ip id" 4 SHORT, "ip frag-off" 6 SHORT, "ip ttl" 8 BYTE,
        "ip protocol" 9 PROTOCOL, "ip checksum" 10 SHORT, "ip saddr" 12 IPV4, "ip daddr" 16 IPV4),
    bits!(NETWORK, &[Ipv4], "ip version" 0 0xf0 BYTE, "ip hdrlength" 0 0x0f BYTE, "ip dscp" 1 0xfc DSCP,
        "ip ecn" 1 0x03 ECN),
    payload!(NETWORK, &[Ipv6], "ip6 length" 4 SHORT, "ip6 nexthdr" 6 PROTOCOL, "ip6 hoplimit" 7 BYTE,
        "ip6 saddr" 8 IPV6, "ip6 daddr" 24 IPV6),
    bits!(NETWORK, &[Ipv6], "ip6 version" 0 0xf0 BYTE, "ip6 dscp" 0 0x0fc0 DSCP_OF_IPV6, "ip6 ecn" 1 0x30 ECN,
        "ip6 flowlabel" 1 0x0f_ffff FLOW_LABEL),
    payload!(NETWORK, &[Arp], "arp htype" 0 SHORT, "arp ptype" 2 ETHER_TYPE, "arp hlen" 4 BYTE, "arp plen" 5 BYTE,
        "arp operation" 6 ARP_OPERATION, "arp saddr ether" 8 MAC, "arp saddr ip" 14 IPV4, "arp daddr ether" 18 MAC,
        "arp daddr ip" 24 IPV4),
    payload!(TRANSPORT, TCP, "tcp sport" 0 PORT, "tcp dport" 2 PORT, "tcp sequence" 4 WORD, "tcp ackseq" 8 WORD,
        "tcp flags" 13 TCP_FLAGS, "tcp window" 14 SHORT, "tcp checksum" 16 SHORT, "tcp urgptr" 18 SHORT),
    bits!(TRANSPORT, TCP, "tcp doff" 12 0xf0 BYTE, "tcp reserved" 12 0x0f BYTE),
    payload!(TRANSPORT, UDP, "udp sport" 0 PORT, "udp dport" 2 PORT, "udp length" 4 SHORT, "udp checksum" 6 SHORT),
    payload!(TRANSPORT, SCTP, "sctp sport" 0 PORT, "sctp dport" 2 PORT, "sctp vtag" 4 WORD, "sctp checksum" 8 WORD),
    payload!(TRANSPORT, DCCP, "dccp sport" 0 PORT, "dccp dport" 2 PORT),
    bits!(TRANSPORT, DCCP, "dccp type" 8 0x1e BYTE),
    payload!(TRANSPORT, &[Protocol(136)], "udplite sport" 0 PORT, "udplite dport" 2 PORT, "udplite checksum" 6 SHORT),
    payload!(TRANSPORT, &[Ipv4, Protocol(1)], "icmp type" 0 ICMP_TYPE, "icmp code" 1 BYTE, "icmp checksum" 2 SHORT),
    payload!(TRANSPORT, IGMP, "igmp type" 0 BYTE, "igmp mrt" 1 BYTE, "igmp checksum" 2 SHORT, "igmp group" 4 IPV4),
    payload!(TRANSPORT, &[Ipv6, Protocol(58)], "icmpv6 type" 0 ICMPV6_TYPE, "icmpv6 code" 1 BYTE,
        "icmpv6 checksum" 2 SHORT),
    payload!(TRANSPORT, &[Protocol(50)], "esp spi" 0 WORD, "esp sequence" 4 WORD),
    payload!(TRANSPORT, AH, "ah nexthdr" 0 PROTOCOL, "ah hdrlength" 1 BYTE, "ah spi" 4 WORD, "ah sequence" 8 WORD),
    payload!(TRANSPORT, COMP, "comp nexthdr" 0 PROTOCOL, "comp flags" 1 BYTE, "comp cpi" 2 SHORT),
    payload!(TRANSPORT, NOTHING, "th sport" 0 PORT, "th dport" 2 PORT),
    keys!(Source::Meta, "meta length" 0 HOST_WORD, "meta protocol" 1 ETHER_TYPE, "meta priority" 2 HOST_WORD,
        "meta mark" 3 MARK, "iif" 4 LINK_INDEX, "oif" 5 LINK_INDEX, "iifname" 6 LINK_NAME, "oifname" 7 LINK_NAME,
        "iiftype" 8 HARDWARE, "oiftype" 9 HARDWARE, "meta skuid" 10 UID, "meta skgid" 11 GID, "meta nftrace" 12 BYTE,
        "meta rtclassid" 13 REALM, "meta secmark" 14 HOST_WORD, "meta nfproto" 15 NFPROTO, "meta l4proto" 16 PROTOCOL,
        "meta ibrname" 17 LINK_NAME, "meta obrname" 18 LINK_NAME, "meta pkttype" 19 PACKET_TYPE,
        "meta cpu" 20 HOST_WORD, "iifgroup" 21 LINK_GROUP, "oifgroup" 22 LINK_GROUP, "meta cgroup" 23 HOST_WORD,
        "meta random" 24 WORD, "meta ipsec" 25 BOOLEAN, "meta iifkind" 26 LINK_KIND, "meta oifkind" 27 LINK_KIND,
        "meta ibrpvid" 28 HOST_SHORT, "meta ibrvproto" 29 ETHER_TYPE, "meta time" 30 DATE, "meta day" 31 DAY,
        "meta hour" 32 HOUR, "meta sdif" 33 LINK_INDEX, "meta sdifname" 34 LINK_NAME, "meta broute" 35 BYTE),
    keys!(ct, "ct state" 0 CT_STATE, "ct direction" 1 CT_DIRECTION, "ct status" 2 CT_STATUS, "ct mark" 3 MARK,
        "ct secmark" 4 HOST_WORD, "ct expiration" 5 EXPIRATION, "ct helper" 6 HELPER, "ct l3proto" 7 NFPROTO,
        "ct protocol" 10 PROTOCOL, "ct label" 13 CT_LABEL, "ct packets" 14 HOST_LONG, "ct bytes" 15 HOST_LONG,
        "ct avgpkt" 16 HOST_LONG, "ct zone" 17 HOST_SHORT, "ct event" 18 CT_EVENT, "ct id" 23 WORD),
    keys!(original, "ct original protocol" 10 PROTOCOL, "ct original proto-src" 11 PORT,
        "ct original proto-dst" 12 PORT, "ct original packets" 14 HOST_LONG, "ct original bytes" 15 HOST_LONG,
        "ct original avgpkt" 16 HOST_LONG, "ct original zone" 17 HOST_SHORT, "ct original ip saddr" 19 IPV4,
        "ct original ip daddr" 20 IPV4, "ct original ip6 saddr" 21 IPV6, "ct original ip6 daddr" 22 IPV6),
    keys!(reply, "ct reply protocol" 10 PROTOCOL, "ct reply proto-src" 11 PORT, "ct reply proto-dst" 12 PORT,
        "ct reply packets" 14 HOST_LONG, "ct reply bytes" 15 HOST_LONG, "ct reply avgpkt" 16 HOST_LONG,
        "ct reply zone" 17 HOST_SHORT, "ct reply ip saddr" 19 IPV4, "ct reply ip daddr" 20 IPV4,
        "ct reply ip6 saddr" 21 IPV6, "ct reply ip6 daddr" 22 IPV6),
    keys!(Source::Route, "rt classid" 0 REALM, "rt ip nexthop" 1 IPV4, "rt ip6 nexthop" 2 IPV6, "rt mtu" 3 HOST_SHORT,
        "rt ipsec" 4 BOOLEAN),
    keys!(socket, "socket transparent" 0 BYTE, "socket mark" 1 MARK, "socket wildcard" 2 BYTE),
    keys!(fingerprint, "osf name" 0 FINGERPRINT, "osf version" 1 FINGERPRINT),
    keys!(ipsec_in, "ipsec in ip daddr" 1 IPV4, "ipsec in ip6 daddr" 2 IPV6, "ipsec in ip saddr" 3 IPV4,
        "ipsec in ip6 saddr" 4 IPV6, "ipsec in reqid" 5 HOST_WORD, "ipsec in spi" 6 WORD),
    keys!(ipsec_out, "ipsec out ip daddr" 1 IPV4, "ipsec out ip6 daddr" 2 IPV6, "ipsec out ip saddr" 3 IPV4,
        "ipsec out ip6 saddr" 4 IPV6, "ipsec out reqid" 5 HOST_WORD, "ipsec out spi" 6 WORD),
    header!(TCP_OPTION, NOTHING, "tcp option nop" 1 {}),
    header!(TCP_OPTION, NOTHING, "tcp option maxseg" 2 {
        "tcp option maxseg length" 1 BYTE, "tcp option maxseg size" 2 SHORT,
    }),
    header!(TCP_OPTION, NOTHING, "tcp option window" 3 { "tcp option window length" 1 BYTE, "tcp option window count" 2 BYTE }),
    header!(TCP_OPTION, NOTHING, "tcp option sack-perm" 4 { "tcp option sack-perm length" 1 BYTE }),
    header!(TCP_OPTION, NOTHING, "tcp option sack" 5 {
        "tcp option sack length" 1 BYTE, "tcp option sack left" 2 WORD, "tcp option sack right" 6 WORD,
        "tcp option sack1 left" 10 WORD, "tcp option sack1 right" 14 WORD, "tcp option sack2 left" 18 WORD,
        "tcp option sack2 right" 22 WORD, "tcp option sack3 left" 26 WORD, "tcp option sack3 right" 30 WORD,
    }),
    header!(TCP_OPTION, NOTHING, "tcp option timestamp" 8 {
        "tcp option timestamp length" 1 BYTE, "tcp option timestamp tsval" 2 WORD, "tcp option timestamp tsecr" 6 WORD,
    }),
    header!(TCP_OPTION, NOTHING, "tcp option md5sig" 19 { "tcp option md5sig length" 1 BYTE }),
    header!(TCP_OPTION, NOTHING, "tcp option mptcp" 30 {
        "tcp option mptcp length" 1 BYTE, "tcp option mptcp subtype" 2 BYTE 0xf0,
    }),
    header!(TCP_OPTION, NOTHING, "tcp option fastopen" 34 { "tcp option fastopen length" 1 BYTE }),
    header!(IPV4_OPTION, &[Ipv4], "ip option rr" 7 {
        "ip option rr type" 0 BYTE, "ip option rr length" 1 BYTE, "ip option rr ptr" 2 BYTE, "ip option rr addr" 3 IPV4,
    }),
    header!(IPV4_OPTION, &[Ipv4], "ip option lsrr" 131 {
        "ip option lsrr type" 0 BYTE, "ip option lsrr length" 1 BYTE, "ip option lsrr ptr" 2 BYTE, "ip option lsrr addr" 3 IPV4,
    }),
    header!(IPV4_OPTION, &[Ipv4], "ip option ssrr" 137 {
        "ip option ssrr type" 0 BYTE, "ip option ssrr length" 1 BYTE, "ip option ssrr ptr" 2 BYTE, "ip option ssrr addr" 3 IPV4,
    }),
    header!(IPV4_OPTION, &[Ipv4], "ip option ra" 148 { "ip option ra type" 0 BYTE, "ip option ra length" 1 BYTE, "ip option ra value" 2 SHORT }),
    header!(IPV6, &[Ipv6], "exthdr hbh" 0 { "hbh nexthdr" 0 PROTOCOL, "hbh hdrlength" 1 BYTE }),
    header!(IPV6, &[Ipv6], "exthdr rt" 43 {
        "rt nexthdr" 0 PROTOCOL, "rt hdrlength" 1 BYTE, "rt type" 2 BYTE, "rt seg-left" 3 BYTE, "srh last-entry" 4 BYTE,
        "srh flags" 5 BYTE, "srh tag" 6 SHORT, "srh sid[1]" 8 IPV6, "srh sid[2]" 24 IPV6,
    }),
    header!(IPV6, &[Ipv6], "exthdr frag" 44 {
        "frag nexthdr" 0 PROTOCOL, "frag reserved" 1 BYTE, "frag frag-off" 2 SHORT 0xfff8, "frag reserved2" 3 BYTE 0x06,
        "frag more-fragments" 3 BYTE 0x01, "frag id" 4 WORD,
    }),
    header!(IPV6, &[Ipv6], "exthdr dst" 60 { "dst nexthdr" 0 PROTOCOL, "dst hdrlength" 1 BYTE }),
    header!(IPV6, &[Ipv6], "exthdr mh" 135 {
        "mh nexthdr" 0 PROTOCOL, "mh hdrlength" 1 BYTE, "mh type" 2 BYTE, "mh reserved" 3 BYTE, "mh checksum" 4 SHORT,
    }),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk data" 0 {
        "sctp chunk data flags" 1 BYTE, "sctp chunk data length" 2 SHORT, "sctp chunk data tsn" 4 WORD,
        "sctp chunk data stream" 8 SHORT, "sctp chunk data ssn" 10 SHORT, "sctp chunk data ppid" 12 WORD,
    }),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk init" 1 {
        "sctp chunk init init-tag" 4 WORD, "sctp chunk init a-rwnd" 8 WORD,
        "sctp chunk init num-outbound-streams" 12 SHORT, "sctp chunk init num-inbound-streams" 14 SHORT,
        "sctp chunk init initial-tsn" 16 WORD,
    }),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk init-ack" 2 {}),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk sack" 3 {
        "sctp chunk sack cum-tsn-ack" 4 WORD, "sctp chunk sack a-rwnd" 8 WORD,
    }),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk heartbeat" 4 {}),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk heartbeat-ack" 5 {}),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk abort" 6 {}),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk shutdown" 7 {}),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk shutdown-ack" 8 {}),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk error" 9 {}),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk cookie-echo" 10 {}),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk cookie-ack" 11 {}),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk ecne" 12 {}),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk cwr" 13 {}),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk shutdown-complete" 14 {}),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk asconf-ack" 128 {}),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk forward-tsn" 192 {}),
    header!(SCTP_CHUNK, NOTHING, "sctp chunk asconf" 193 {}),
];

/// Returns the selector with this name.
pub(super) fn known(name: &str) -> Option<&'static Known> {
    TABLES.iter().copied().flatten().find(|known| known.name == name)
}
