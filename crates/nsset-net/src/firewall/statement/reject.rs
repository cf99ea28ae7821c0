//! `reject`: drops a packet and tells its sender.

use crate::firewall::{
    expression::action::reject::{self, Reject as Expression},
    family::Family,
    matching::names::{self, Names},
};

/// The answer of a `reject` as text: `tcp reset`, `icmpx port-unreachable`, `icmp host-prohibited`, `icmpv6 no-route`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reject {
    kind: u32,
    code: u8,
    is_icmpv6: bool,
}

/// `NFT_REJECT_ICMPX_*`, `ICMP_*` of linux/icmp.h, `ICMPV6_*` of linux/icmpv6.h.
const ICMPX: Names = &[("no-route", 0), ("port-unreachable", 1), ("host-unreachable", 2), ("admin-prohibited", 3)];
const ICMP: Names = &[
    ("net-unreachable", 0),
    ("host-unreachable", 1),
    ("prot-unreachable", 2),
    ("port-unreachable", 3),
    ("net-prohibited", 9),
    ("host-prohibited", 10),
    ("admin-prohibited", 13),
];
const ICMPV6: Names = &[
    ("no-route", 0),
    ("admin-prohibited", 1),
    ("addr-unreachable", 3),
    ("port-unreachable", 4),
    ("policy-fail", 5),
    ("reject-route", 6),
];

impl Reject {
    /// Parses the answer of a `reject`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "tcp reset" {
            return Some(Self { kind: reject::TCP_RESET, code: 0, is_icmpv6: false });
        }
        let (protocol, code) = text.split_once(' ')?;
        let (kind, codes) = match protocol {
            "icmp" => (reject::ICMP, ICMP),
            "icmpv6" => (reject::ICMP, ICMPV6),
            _ => (reject::ICMPX, ICMPX),
        };
        Some(Self { kind, code: names::number(codes, code)? as u8, is_icmpv6: protocol == "icmpv6" })
    }

    /// Returns the answer of a `reject` that has none, as nft(8) has it.
    pub fn default_of(family: Family) -> Self {
        match family {
            Family::Ip => Self { kind: reject::ICMP, code: 3, is_icmpv6: false },
            Family::Ip6 => Self { kind: reject::ICMP, code: 4, is_icmpv6: true },
            _ => Self { kind: reject::ICMPX, code: 1, is_icmpv6: false },
        }
    }

    /// What the packet must be.
    pub fn is_for_ipv6(&self) -> Option<bool> {
        (self.kind == reject::ICMP).then_some(self.is_icmpv6)
    }

    pub fn is_for_tcp(&self) -> bool {
        self.kind == reject::TCP_RESET
    }

    pub fn lower(&self) -> Expression {
        Expression { kind: self.kind, code: Some(self.code) }
    }

    /// Returns the text of an answer in packets of this version of IP.
    pub fn lift(reject: &Expression, is_ipv6: bool) -> Self {
        let code = reject.code.unwrap_or(0);
        Self { kind: reject.kind, code, is_icmpv6: is_ipv6 && reject.kind == reject::ICMP }
    }

    pub fn text(&self) -> Option<String> {
        let (protocol, codes) = match (self.kind, self.is_icmpv6) {
            (reject::TCP_RESET, _) => return Some("tcp reset".into()),
            (reject::ICMP, false) => ("icmp", ICMP),
            (reject::ICMP, true) => ("icmpv6", ICMPV6),
            _ => ("icmpx", ICMPX),
        };
        names::name(codes, self.code.into()).map(|code| format!("{protocol} {code}"))
    }
}
