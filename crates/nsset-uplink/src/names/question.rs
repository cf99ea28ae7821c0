//! A question from inside.

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query, ResponseCode},
    rr::{DNSClass, RecordType},
};

use crate::rules::normalized;

/// The size that servers may send in a datagram: one that is not fragmented.
const EDNS_SIZE: u16 = 1232;

/// The least that a client takes in a datagram.
const LEAST_SIZE: usize = 512;

/// The longest question. One of a resolver has a name of at most 255 bytes, and a few options.
pub const LONGEST: usize = 1024;

/// A question from inside. Only its name and its type are sent to a server: nothing else of the message leaves.
pub struct Question {
    id: u16,
    recursion_desired: bool,
    /// What the client takes in a datagram.
    size: usize,
    query: Query,
    /// The name in lower case, without a dot at the end.
    pub name: String,
}

/// Whether a record can hide the names of later connections: `HTTPS` and `SVCB` have the keys for that (RFC 9460).
pub fn hides_names(kind: RecordType) -> bool {
    matches!(kind, RecordType::HTTPS | RecordType::SVCB)
}

impl Question {
    /// Reads a message. `None` if it is not a question about one name. What else is in it is not kept.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > LONGEST {
            return None;
        }
        let asked = Message::from_vec(bytes).ok()?;
        let metadata = asked.metadata;
        let [query] = asked.queries.as_slice() else { return None };
        if metadata.message_type != MessageType::Query || metadata.op_code != OpCode::Query {
            return None;
        }
        let query = query.clone();
        // A label with a dot in it would look like two.
        let is_plain = |label: &[u8]| label.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
        if !query.name().iter().all(is_plain) || query.query_class() != DNSClass::IN {
            return None;
        }
        let name = normalized(&query.name().to_ascii());
        let size = asked.edns.as_ref().map_or(LEAST_SIZE, |edns| usize::from(edns.max_payload())).max(LEAST_SIZE);
        Some(Self { id: metadata.id, recursion_desired: metadata.recursion_desired, size, query, name })
    }

    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Whether the answer could hide the names of later connections.
    pub fn may_hide_names(&self) -> bool {
        hides_names(self.query.query_type())
    }

    /// The message for a server, with an id of its own.
    pub fn for_server(&self) -> Message {
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.add_query(self.query.clone());
        let mut edns = Edns::new();
        edns.set_max_payload(EDNS_SIZE);
        message.set_edns(edns);
        message
    }

    /// The answer with a code and no records.
    pub fn refuse(&self, code: ResponseCode) -> Message {
        let mut message = Message::response(self.id, OpCode::Query);
        message.metadata.recursion_desired = self.recursion_desired;
        message.metadata.recursion_available = true;
        message.metadata.response_code = code;
        message.add_query(self.query.clone());
        message
    }

    /// The bytes of an answer. One that is too long for a datagram of the client is marked so: then it asks over TCP.
    pub fn bytes(&self, answer: &Message, is_datagram: bool) -> Option<Vec<u8>> {
        let bytes = answer.to_vec().ok()?;
        if !is_datagram || bytes.len() <= self.size {
            return Some(bytes);
        }
        answer.truncate().to_vec().ok()
    }
}
