//! What of a server's answer goes inside.

use std::net::IpAddr;

use hickory_proto::{
    op::{Edns, Message},
    rr::{RData, Record},
};

use crate::names::{Question, question::hides_names};

/// How many aliases of a name lead to its addresses.
const MOST_ALIASES: usize = 16;

/// An answer for inside, and the addresses in it with their times to live.
pub struct Admitted {
    pub message: Message,
    pub addresses: Vec<(IpAddr, u32)>,
    /// The addresses that were left out.
    pub withheld: Vec<IpAddr>,
}

/// Returns the server's answer without the addresses that may not be in it, and without keys that hide names, if names matter. Records of another name count only if the name is an alias
/// of it; nothing but the answers is passed on.
pub fn admissible(
    question: &Question,
    answer: Message,
    has_names: bool,
    may_answer: impl Fn(IpAddr) -> bool,
) -> Admitted {
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
        // Also a question about any record has them.
        if has_names && hides_names(record.record_type()) {
            continue;
        }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::str::FromStr;

    use hickory_proto::{
        op::{OpCode, Query},
        rr::{
            Name, RecordType,
            rdata::{A, CNAME, HTTPS, SVCB},
        },
    };

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_str(text).unwrap()
    }

    fn question(text: &str, kind: RecordType) -> Question {
        let mut message = Message::query();
        message.add_query(Query::query(name(text), kind));
        Question::read(&message.to_vec().unwrap()).unwrap()
    }

    fn address(owner: &str, text: &str) -> Record {
        Record::from_rdata(name(owner), 60, RData::A(A(text.parse().unwrap())))
    }

    fn alias(owner: &str, of: &str) -> Record {
        Record::from_rdata(name(owner), 60, RData::CNAME(CNAME(name(of))))
    }

    fn admit(kind: RecordType, records: Vec<Record>, has_names: bool) -> Admitted {
        let mut answer = Message::response(1, OpCode::Query);
        answer.add_answers(records);
        admissible(&question("a.test.", kind), answer, has_names, |address| address.to_string() != "10.0.0.1")
    }

    #[test]
    fn addresses_of_aliases_are_those_of_the_name() {
        let records = vec![
            alias("A.test.", "b.test."),
            alias("b.test.", "c.test."),
            address("C.Test.", "1.1.1.1"),
            address("c.test.", "10.0.0.1"),
            address("d.test.", "2.2.2.2"),
        ];
        let admitted = admit(RecordType::A, records, true);
        assert_eq!(admitted.addresses, [("1.1.1.1".parse().unwrap(), 60)]);
        assert_eq!(admitted.withheld, ["10.0.0.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(admitted.message.answers.len(), 3);
    }

    #[test]
    fn a_circle_of_aliases_ends() {
        let records = (0..100).map(|_| alias("a.test.", "a.test.")).collect();
        assert_eq!(admit(RecordType::A, records, true).addresses, []);
    }

    #[test]
    fn keys_that_hide_names_are_withheld_where_names_matter() {
        let hiding =
            || Record::from_rdata(name("a.test."), 60, RData::HTTPS(HTTPS(SVCB::new(1, Name::root(), vec![]))));
        let records = || vec![address("a.test.", "1.1.1.1"), hiding()];
        assert_eq!(admit(RecordType::ANY, records(), true).message.answers.len(), 1);
        assert_eq!(admit(RecordType::ANY, records(), false).message.answers.len(), 2);
    }
}
