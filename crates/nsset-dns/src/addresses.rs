//! The addresses in an answer.

use std::net::IpAddr;

use hickory_net::proto::{
    op::Message,
    rr::{DNSClass, Name, RData, Record},
};

/// The addresses of a name, or of what it is an alias of, in the order of the answer. The server follows the aliases: an
/// answer that ends with one has no addresses.
pub fn addresses(response: &Message, question: &Name) -> Vec<IpAddr> {
    let records = || response.answers.iter().filter(|record| record.dns_class == DNSClass::IN);
    let mut name = question;
    // An alias of an alias of itself ends with the records.
    for _ in 0..=response.answers.len() {
        let mut addresses = Vec::new();
        for address in records().filter(|record| record.name == *name).filter_map(address) {
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
    use hickory_net::proto::rr::rdata::{A, CNAME};

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

    fn read(records: Vec<Record>) -> Vec<String> {
        let mut message = Message::query();
        message.answers = records;
        addresses(&message, &name("web.test.")).iter().map(ToString::to_string).collect()
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
}
