//! Any expression, and how a rule lists them.

use super::{
    action::{
        connlimit::Connlimit, counter::Counter, dup::Dup, dynset::Dynset, flow_offload::FlowOffload, fwd::Fwd,
        limit::Limit, log::Log, notrack::Notrack, objref::Objref, queue::Queue, quota::Quota, reject::Reject,
        synproxy::Synproxy,
    },
    load::{
        ct::Ct, exthdr::Exthdr, fib::Fib, hash::Hash, immediate::Immediate, meta::Meta, numgen::Numgen, osf::Osf,
        payload::Payload, rt::Rt, socket::Socket, xfrm::Xfrm,
    },
    test::{bitwise::Bitwise, byteorder::Byteorder, cmp::Cmp, lookup::Lookup, range::Range},
    translation::{masq::Masq, nat::Nat, redir::Redir, tproxy::Tproxy},
};
use crate::firewall::expression::field::Nested;
use crate::netlink::{
    attributes::{Attributes, Malformed, text},
    nfnetlink::writer::Writer,
};

/// `NFTA_LIST_ELEM`, `NFTA_EXPR_*`.
const ELEMENT: u16 = 1;
const NAME: u16 = 1;
const DATA: u16 = 2;

macro_rules! expressions {
    ($($name:ident),* $(,)?) => {
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) enum Expression {
            $($name($name),)*
            /// One that this crate does not know, as the kernel has it.
            Unknown(Vec<u8>),
        }

        impl Expression {
            fn write(&self, writer: &mut Writer) {
                match self {
                    $(Self::$name(expression) => {
                        writer.put_text(NAME, $name::NAME);
                        writer.nest(DATA, |writer| expression.write(writer));
                    })*
                    Self::Unknown(element) => writer.extend(element),
                }
            }

            fn read(name: &str, data: &[u8], element: &[u8]) -> Result<Self, Malformed> {
                match name {
                    $($name::NAME => $name::read_fields(data).map(Self::$name),)*
                    _ => Ok(Self::Unknown(element.to_vec())),
                }
            }
        }

        $(impl From<$name> for Expression {
            fn from(expression: $name) -> Self {
                Self::$name(expression)
            }
        })*
    };
}

expressions!(
    Bitwise,
    Byteorder,
    Cmp,
    Connlimit,
    Counter,
    Ct,
    Dup,
    Dynset,
    Exthdr,
    Fib,
    FlowOffload,
    Fwd,
    Hash,
    Immediate,
    Limit,
    Log,
    Lookup,
    Masq,
    Meta,
    Nat,
    Notrack,
    Numgen,
    Objref,
    Osf,
    Payload,
    Queue,
    Quota,
    Range,
    Redir,
    Reject,
    Rt,
    Socket,
    Synproxy,
    Tproxy,
    Xfrm,
);

/// Returns the expressions of another one: it has the only one in an attribute of its own, and several in a list.
pub(crate) fn nested(expressions: &[Expression]) -> (Option<Nested>, Option<Nested>) {
    let mut writer = Writer::default();
    if let [one] = expressions {
        one.write(&mut writer);
        return (Some(Nested(writer.bytes().to_vec())), None);
    }
    write(expressions, &mut writer);
    (None, (!expressions.is_empty()).then(|| Nested(writer.bytes().to_vec())))
}

/// Reads the expressions of another one.
pub(crate) fn read_nested(one: Option<&Nested>, several: Option<&Nested>) -> Result<Vec<Expression>, Malformed> {
    match (one, several) {
        (Some(one), _) => Ok(vec![read_one(&one.0)?]),
        (None, Some(several)) => read(&several.0),
        (None, None) => Ok(Vec::new()),
    }
}

/// Writes a list of expressions.
pub(crate) fn write(expressions: &[Expression], writer: &mut Writer) {
    for expression in expressions {
        writer.nest(ELEMENT, |writer| expression.write(writer));
    }
}

/// Reads a list of expressions.
pub(crate) fn read(list: &[u8]) -> Result<Vec<Expression>, Malformed> {
    let mut expressions = Vec::new();
    for element in Attributes::within(list) {
        let (_, element) = element?;
        expressions.push(read_one(element)?);
    }
    Ok(expressions)
}

/// Reads a list of expressions without what is in them.
pub(crate) fn read_raw(list: &[u8]) -> Result<Vec<Expression>, Malformed> {
    let element =
        |element: Result<(u16, &[u8]), Malformed>| element.map(|(_, element)| Expression::Unknown(element.to_vec()));
    Attributes::within(list).map(element).collect()
}

/// Reads one expression.
pub(crate) fn read_one(element: &[u8]) -> Result<Expression, Malformed> {
    let mut name = String::new();
    let mut data: &[u8] = &[];
    for attribute in Attributes::within(element) {
        match attribute? {
            (NAME, value) => name = text(value),
            (DATA, value) => data = value,
            _ => {}
        }
    }
    Expression::read(&name, data, element)
}
