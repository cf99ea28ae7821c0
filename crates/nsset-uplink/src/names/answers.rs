//! What of a server's answer goes inside.

use std::net::IpAddr;

use hickory_proto::{
    op::{Edns, Message},
    rr::{RData, Record},
};

use crate::names::Question;

/// How many aliases of a name lead to its addresses.
const MOST_ALIASES: usize = 16;

/// An answer for inside, and the addresses in it with their times to live.
pub struct Admitted {
    pub message: Message,
    pub addresses: Vec<(IpAddr, u32)>,
    /// The addresses that were left out.
    pub withheld: Vec<IpAddr>,
}

/// Returns the server's answer without the addresses that may not be in it. Records of another name count only if the name is an alias
/// of it; nothing but the answers is passed on.
pub fn admissible(question: &Question, answer: Message, may_answer: impl Fn(IpAddr) -> bool) -> Admitted {
    let mut message = question.refuse(answer.metadata.response_code);
    message.set_edns(Edns::new());
    let (mut addresses, mut withheld) = (Vec::new(), Vec::new());
    let mut aliases = vec![question.query().name().to_lowercase()];
    for record in &answer.answers {
        if let RData::CNAME(alias) = &record.data
            && aliases.len() <= MOST_ALIASES
            && aliases.contains(&record.name.to_lowercase())
        {
            aliases.push(alias.0.to_lowercase());
        }
    }
    for record in answer.answers {
        let Some(address) = address_of(&record) else {
            message.add_answer(record);
            continue;
        };
        if !may_answer(address) {
            withheld.push(address);
        } else if aliases.contains(&record.name.to_lowercase()) {
            addresses.push((address, record.ttl));
            message.add_answer(record);
        }
    }
    for authority in answer.authorities {
        // How long a client may remember that there is nothing.
        if matches!(authority.data, RData::SOA(_)) {
            message.add_authority(authority);
        }
    }
    Admitted { message, addresses, withheld }
}

fn address_of(record: &Record) -> Option<IpAddr> {
    match &record.data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}
