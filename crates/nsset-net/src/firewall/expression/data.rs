//! The data of a register: bytes, or a verdict.

use crate::{
    firewall::expression::field::Field,
    netlink::{
        attributes::{Attributes, Malformed, text},
        writer::Writer,
    },
};

/// `NFTA_DATA_*`, `NFTA_VERDICT_*`.
const VALUE: u16 = 1;
const VERDICT: u16 = 2;
const CODE: u16 = 1;
const CHAIN: u16 = 2;

/// `NF_*` of linux/netfilter.h and `NFT_*` of linux/netfilter/nf_tables.h.
pub(crate) mod code {
    pub const DROP: i32 = 0;
    pub const ACCEPT: i32 = 1;
    pub const CONTINUE: i32 = -1;
    pub const JUMP: i32 = -3;
    pub const GOTO: i32 = -4;
    pub const RETURN: i32 = -5;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Value(Vec<u8>),
    /// A code, and the chain of a jump.
    Verdict(i32, Option<String>),
}

impl Default for Data {
    fn default() -> Self {
        Self::Value(Vec::new())
    }
}

impl Field for Data {
    fn write(&self, kind: u16, writer: &mut Writer) {
        writer.nest(kind, |writer| match self {
            Self::Value(value) => writer.put(VALUE, value),
            Self::Verdict(code, chain) => writer.nest(VERDICT, |writer| {
                writer.put_u32(CODE, code.cast_unsigned());
                chain.write(CHAIN, writer);
            }),
        });
    }

    fn read(value: Option<&[u8]>) -> Result<Self, Malformed> {
        for attribute in Attributes::within(value.ok_or(Malformed)?) {
            match attribute? {
                (VALUE, value) => return Ok(Self::Value(value.to_vec())),
                (VERDICT, value) => return verdict(value),
                _ => {}
            }
        }
        Err(Malformed)
    }
}

fn verdict(value: &[u8]) -> Result<Data, Malformed> {
    let mut code = None;
    let mut chain = None;
    for attribute in Attributes::within(value) {
        match attribute? {
            (CODE, value) => code = Some(u32::read(Some(value))?.cast_signed()),
            (CHAIN, value) => chain = Some(text(value)),
            _ => {}
        }
    }
    Ok(Data::Verdict(code.ok_or(Malformed)?, chain))
}
