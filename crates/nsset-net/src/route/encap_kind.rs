//! The kinds of lightweight tunnels.

use serde::{Deserialize, Serialize};

/// The kind of a lightweight tunnel: `LWTUNNEL_ENCAP_*` of linux/lwtunnel.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncapKind {
    Mpls,
    Ip,
    Ila,
    Ip6,
    Seg6,
    Bpf,
    #[serde(rename = "seg6local")]
    Seg6Local,
    Rpl,
    Ioam6,
    Xfrm,
    #[serde(untagged)]
    Other(u16),
}

/// The kinds in the order of their numbers, from 1.
const KINDS: [EncapKind; 10] = [
    EncapKind::Mpls,
    EncapKind::Ip,
    EncapKind::Ila,
    EncapKind::Ip6,
    EncapKind::Seg6,
    EncapKind::Bpf,
    EncapKind::Seg6Local,
    EncapKind::Rpl,
    EncapKind::Ioam6,
    EncapKind::Xfrm,
];

impl From<u16> for EncapKind {
    fn from(number: u16) -> Self {
        let known = usize::from(number).checked_sub(1).and_then(|at| KINDS.get(at));
        known.copied().unwrap_or(Self::Other(number))
    }
}

impl From<EncapKind> for u16 {
    fn from(kind: EncapKind) -> Self {
        match kind {
            EncapKind::Other(number) => number,
            kind => KINDS.iter().zip(1..).find(|(known, _)| **known == kind).map_or(0, |(_, number)| number),
        }
    }
}
