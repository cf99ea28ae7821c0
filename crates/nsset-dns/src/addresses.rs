//! The addresses in an answer.

use std::net::IpAddr;

use hickory_net::proto::{
    op::{Message, Query},
    rr::{DNSClass, Name, RData, Record},
};

/// No honest answer has as many aliases of aliases. Each is looked for in the whole answer.
const MOST_ALIASES: usize = 16;

/// The addresses of a name, or of what it is an alias of, in the order of the answer. The server follows the aliases:
/// an answer that ends with one has no addresses.
pub fn addresses(response: &Message, question: &Query) -> Vec<IpAddr> {
    let records = || response.answers.iter().filter(|record| record.dns_class == DNSClass::IN);
    let of_the_kind = || records().filter(|record| record.record_type() == question.query_type());
    let mut name = question.name();
    for _ in 0..=MOST_ALIASES {
        let mut addresses = Vec::new();
        for address in of_the_kind().filter(|record| record.name == *name).filter_map(address) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if !addresses.is_empty() {
            return addresses;
        }
        match records().find_map(|record| alias(record, name)) {
            Some(target) => name = target,
            None => break,
        }
    }
    Vec::new()
}

fn address(record: &Record) -> Option<IpAddr> {
    match &record.data {
        RData::A(address) => Some(address.0.into()),
        RData::AAAA(address) => Some(address.0.into()),
        _ => None,
    }
}

fn alias<'a>(record: &'a Record, name: &Name) -> Option<&'a Name> {
    match &record.data {
        RData::CNAME(target) if record.name == *name => Some(&target.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use hickory_net::proto::rr::{
        RecordType,
        rdata::{A, AAAA, CNAME},
    };

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn a(owner: &str, last: u8) -> Record {
        Record::from_rdata(name(owner), 60, RData::A(A::new(10, 0, 0, last)))
    }

    fn cname(owner: &str, target: &str) -> Record {
        Record::from_rdata(name(owner), 60, RData::CNAME(CNAME(name(target))))
    }

    fn question() -> Query {
        Query::query(name("web.test."), RecordType::A)
    }

    fn read(records: Vec<Record>) -> Vec<String> {
        let mut message = Message::query();
        message.answers = records;
        addresses(&message, &question()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn aliases_are_followed_in_any_order_and_case() {
        let records =
            vec![a("c.test.", 3), cname("b.test.", "C.test."), cname("WEB.test.", "b.test."), a("c.test.", 2)];
        assert_eq!(read(records), ["10.0.0.3", "10.0.0.2"]);
    }

    #[test]
    fn addresses_of_other_names_are_not_taken() {
        assert_eq!(read(vec![a("evil.test.", 1), cname("evil.test.", "web.test.")]), [""; 0]);
        assert_eq!(read(vec![cname("web.test.", "b.test."), a("evil.test.", 1)]), [""; 0]);
    }

    #[test]
    fn an_alias_of_itself_has_no_end_and_no_addresses() {
        assert_eq!(read(vec![cname("web.test.", "b.test."), cname("b.test.", "web.test.")]), [""; 0]);
    }

    #[test]
    fn addresses_of_the_other_family_are_not_taken() {
        let other = Record::from_rdata(name("web.test."), 60, RData::AAAA(AAAA::new(0xfd00, 0, 0, 0, 0, 0, 0, 1)));
        assert_eq!(read(vec![other, a("web.test.", 1)]), ["10.0.0.1"]);
    }

    #[test]
    fn no_answer_is_too_strange_to_be_read() {
        let mut message = Message::query();
        message.queries.push(question());
        message.answers = vec![cname("web.test.", "b.test."), a("b.test.", 1), a("b.test.", 2)];
        let bytes = message.to_vec().unwrap();
        let mut state = 0x9e37_79b9_u32;
        let mut random = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % below
        };
        let mut readable = 0;
        for _ in 0..20_000 {
            let mut bytes = bytes.clone();
            for _ in 0..=random(4) {
                let place = random(bytes.len());
                bytes[place] = random(256) as u8;
            }
            let Ok(message) = Message::from_vec(&bytes) else { continue };
            assert!(addresses(&message, &question()).len() <= 3);
            readable += 1;
        }
        assert!(readable > 100, "{readable}");
    }
}
