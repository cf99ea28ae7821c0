//! Messages of RFC 1035: writes queries and reads answers.

use std::net::IpAddr;

use hickory_proto::{
    ProtoError,
    op::{Edns, Message, Query, ResponseCode},
    rr::{DNSClass, Name, RecordType},
    serialize::binary::{BinDecodable, BinDecoder, DecodeError},
};

use crate::config::Config;

/// The length of a message's header.
pub const HEADER: usize = 12;

/// The UDP payload size that glibc sends with EDNS: datagrams of this size are not fragmented.
const EDNS_SIZE: u16 = 1200;

const AUTHORITATIVE: u16 = 0x0400;
const TRUNCATED: u16 = 0x0200;
const RECURSION_AVAILABLE: u16 = 0x0080;

/// The limit for aliases of aliases, which no valid answer reaches. For each one the whole answer is searched.
const MOST_ALIASES: usize = 16;

/// A query.
pub struct Question {
    id: u16,
    query: Query,
    pub bytes: Vec<u8>,
}

impl Question {
    /// Creates a query with a random id.
    pub fn new(name: &Name, kind: RecordType, config: &Config) -> Result<Self, ProtoError> {
        let query = Query::query(name.clone(), kind);
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.metadata.authentic_data = config.trust_ad;
        message.add_query(query.clone());
        if config.edns {
            let mut edns = Edns::new();
            edns.set_max_payload(EDNS_SIZE);
            message.set_edns(edns);
        }
        Ok(Self { id: message.metadata.id, query, bytes: message.to_vec()? })
    }

    /// Parses a message as the answer to this query. `None` for other messages, which another host may have sent.
    pub fn answered_by(&self, message: &[u8]) -> Option<Answer> {
        let header = Header::read(message)?;
        if header.id != self.id || header.questions != 1 {
            return None;
        }
        let mut decoder = BinDecoder::new(message);
        decoder.read_slice(HEADER).ok()?;
        let query = Query::read(&mut decoder).ok()?;
        (query == self.query).then(|| Answer {
            code: header.code(),
            truncated: header.has(TRUNCATED),
            is_lame: header.is_lame(),
            has_records: header.answers > 0,
            addresses: addresses(&mut decoder, header.answers, &self.query).unwrap_or_default(),
        })
    }
}

/// The answer to a query.
#[derive(Clone, Debug)]
pub struct Answer {
    pub code: ResponseCode,
    /// Whether the answer is incomplete, and the whole answer needs TCP.
    pub truncated: bool,
    /// Whether the server is lame: it has no answer, and does not recurse.
    pub is_lame: bool,
    pub has_records: bool,
    pub addresses: Vec<IpAddr>,
}

struct Header {
    id: u16,
    flags: u16,
    questions: u16,
    answers: u16,
    additional: u16,
}

impl Header {
    fn read(message: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER] = message.first_chunk()?;
        let (words, _) = bytes.as_chunks();
        let [id, flags, questions, answers, _, additional] = *<&[[u8; 2]; 6]>::try_from(words).ok()?;
        Some(Self {
            id: u16::from_be_bytes(id),
            flags: u16::from_be_bytes(flags),
            questions: u16::from_be_bytes(questions),
            answers: u16::from_be_bytes(answers),
            additional: u16::from_be_bytes(additional),
        })
    }

    fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    fn code(&self) -> ResponseCode {
        ResponseCode::from(0, (self.flags & 0xf) as u8)
    }

    /// Returns whether the server is lame, by the rule of glibc: it neither answers nor recurses.
    fn is_lame(&self) -> bool {
        self.code() == ResponseCode::NoError
            && self.answers == 0
            && self.additional == 0
            && !self.has(AUTHORITATIVE | RECURSION_AVAILABLE)
    }
}

/// Returns the addresses in an answer, in its order, or none if the name is not a host name. The sections after the answer are
/// not read.
fn addresses(decoder: &mut BinDecoder<'_>, count: u16, question: &Query) -> Result<Vec<IpAddr>, DecodeError> {
    let mut records = Records::default();
    for _ in 0..count {
        records.read_one(decoder, question.query_type())?;
    }
    Ok(if is_host(question.name()) { records.addresses_of(question.name()) } else { Vec::new() })
}

/// The address and alias records of an answer.
#[derive(Default)]
struct Records {
    aliases: Vec<(Name, Name)>,
    addresses: Vec<(Name, IpAddr)>,
}

impl Records {
    fn read_one(&mut self, decoder: &mut BinDecoder<'_>, wanted: RecordType) -> Result<(), DecodeError> {
        let owner = Name::read(decoder)?;
        let kind = RecordType::from(decoder.read_u16()?.unverified());
        let class = DNSClass::from(decoder.read_u16()?.unverified());
        decoder.read_u32()?;
        let length = decoder.read_u16()?.unverified().into();
        let place = u16::try_from(decoder.index()).map_err(|_| DecodeError::InsufficientBytes)?;
        let mut inner = decoder.clone(place);
        let data = decoder.read_slice(length)?.unverified();
        match (class, kind) {
            (DNSClass::IN, RecordType::CNAME) => self.aliases.push((owner, Name::read(&mut inner)?)),
            (DNSClass::IN, kind) if kind == wanted => {
                self.addresses.extend(address(kind, data).map(|address| (owner, address)));
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the addresses of a name, or of the name that it is an alias of. The server follows aliases, so an answer that ends
    /// with an alias has no addresses.
    fn addresses_of<'a>(&'a self, mut name: &'a Name) -> Vec<IpAddr> {
        for _ in 0..=MOST_ALIASES {
            let own = self.addresses.iter().filter(|(owner, _)| owner == name);
            let addresses: Vec<_> = own.map(|(_, address)| *address).collect();
            if !addresses.is_empty() {
                return addresses;
            }
            match self.aliases.iter().find(|(owner, _)| owner == name) {
                Some((_, target)) => name = target,
                None => break,
            }
        }
        Vec::new()
    }
}

/// Reads an address. `None` if the length is not that of the family.
fn address(kind: RecordType, data: &[u8]) -> Option<IpAddr> {
    match kind {
        RecordType::A => <[u8; 4]>::try_from(data).map(IpAddr::from).ok(),
        RecordType::AAAA => <[u8; 16]>::try_from(data).map(IpAddr::from).ok(),
        _ => None,
    }
}

/// Returns whether a name consists of letters, digits, hyphens and underscores (res_hnok() of glibc).
fn is_host(name: &Name) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !name.iter().next().is_some_and(|label| label.starts_with(b"-")) && name.iter().flatten().all(is_letter)
}

#[cfg(test)]
mod tests {
    use hickory_proto::{
        op::OpCode,
        rr::{
            RData, Record,
            rdata::{A, AAAA, CNAME, TXT},
        },
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

    fn question() -> Question {
        Question::new(&name("web.test."), RecordType::A, &Config::default()).unwrap()
    }

    fn message(question: &Question, records: Vec<Record>) -> Message {
        let mut message = Message::response(question.id, OpCode::Query);
        message.queries.push(question.query.clone());
        message.answers = records;
        message
    }

    fn read(records: Vec<Record>) -> Vec<String> {
        let question = question();
        let bytes = message(&question, records).to_vec().unwrap();
        let answer = question.answered_by(&bytes).unwrap();
        answer.addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_query_has_the_flags_of_the_configuration_and_wants_recursion() {
        let of = |config: &Config| {
            let question = Question::new(&name("web.test."), RecordType::AAAA, config).unwrap();
            Message::from_vec(&question.bytes).unwrap()
        };
        let plain = of(&Config::default());
        assert!(plain.metadata.recursion_desired && !plain.metadata.authentic_data && plain.edns.is_none());
        assert_eq!(plain.queries[0].query_type(), RecordType::AAAA);
        let more = of(&Config { edns: true, trust_ad: true, ..Config::default() });
        assert!(more.metadata.authentic_data);
        assert_eq!(more.edns.unwrap().max_payload(), EDNS_SIZE);
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
    fn other_records_and_addresses_of_another_length_are_passed_over() {
        let text = Record::from_rdata(name("web.test."), 60, RData::TXT(TXT::new(vec!["x".to_owned()])));
        assert_eq!(read(vec![text, a("web.test.", 1)]), ["10.0.0.1"]);
        let question = question();
        let mut bytes = message(&question, vec![a("web.test.", 1)]).to_vec().unwrap();
        // The last but fifth byte is the length.
        let place = bytes.len() - 5;
        bytes[place] = 3;
        assert!(question.answered_by(&bytes).unwrap().addresses.is_empty());
    }

    #[test]
    fn a_name_of_no_host_may_stand_for_another_but_has_no_address_of_its_own() {
        let strange = || Name::from_labels([b"we!b".as_slice(), b"test"]).unwrap();
        let alias = Record::from_rdata(name("web.test."), 60, RData::CNAME(CNAME(strange())));
        let address = || Record::from_rdata(strange(), 60, RData::A(A::new(10, 0, 0, 9)));
        assert_eq!(read(vec![alias, address()]), ["10.0.0.9"]);
        let question = Question::new(&strange(), RecordType::A, &Config::default()).unwrap();
        let bytes = message(&question, vec![address()]).to_vec().unwrap();
        assert!(question.answered_by(&bytes).unwrap().addresses.is_empty());
    }

    #[test]
    fn an_answer_that_stops_short_has_no_addresses() {
        let question = question();
        let mut bytes = message(&question, vec![a("web.test.", 1), a("web.test.", 2)]).to_vec().unwrap();
        bytes.truncate(bytes.len() - 2);
        let answer = question.answered_by(&bytes).unwrap();
        assert!(answer.has_records && answer.addresses.is_empty());
    }

    #[test]
    fn a_name_that_points_at_itself_is_not_followed_for_ever() {
        let question = question();
        let mut bytes = message(&question, vec![a("web.test.", 1)]).to_vec().unwrap();
        let record = u16::try_from(question.bytes.len()).unwrap();
        let pointer = (0xc000 | record).to_be_bytes();
        bytes[usize::from(record)..][..2].copy_from_slice(&pointer);
        assert!(question.answered_by(&bytes).unwrap().addresses.is_empty());
    }

    #[test]
    fn another_id_and_another_question_are_no_answer() {
        let question = question();
        let mut other = message(&question, vec![a("web.test.", 1)]);
        other.metadata.id ^= 1;
        assert!(question.answered_by(&other.to_vec().unwrap()).is_none());
        let mut other = message(&question, vec![a("web.test.", 1)]);
        other.queries = vec![Query::query(name("other.test."), RecordType::A)];
        assert!(question.answered_by(&other.to_vec().unwrap()).is_none());
        other.queries.clear();
        assert!(question.answered_by(&other.to_vec().unwrap()).is_none());
        assert!(question.answered_by(&[0; HEADER - 1]).is_none());
    }

    #[test]
    fn no_answer_is_too_strange_to_be_read() {
        let question = question();
        let records = vec![cname("web.test.", "b.test."), a("b.test.", 1), a("b.test.", 2)];
        let whole = message(&question, records).to_vec().unwrap();
        let mut state = 0x9e37_79b9_u32;
        let mut random = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % below
        };
        let mut readable = 0;
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..=random(4) {
                let place = random(bytes.len());
                bytes[place] = random(256) as u8;
            }
            bytes.truncate(bytes.len() - random(2) * random(bytes.len()));
            let Some(answer) = question.answered_by(&bytes) else { continue };
            assert!(answer.addresses.len() <= 3);
            readable += 1;
        }
        assert!(readable > 100, "{readable}");
    }
}
