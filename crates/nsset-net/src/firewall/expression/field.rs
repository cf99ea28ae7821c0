//! The fields of an expression as netlink attributes, and the macro that declares an expression.

use crate::netlink::{
    attributes::{Attributes, Malformed, array_at, text},
    nfnetlink::writer::Writer,
};

/// A value that an attribute has. Numbers are big-endian.
pub(crate) trait Field: Sized {
    fn write(&self, kind: u16, writer: &mut Writer);
    /// Reads the value of an attribute, if there is one.
    fn read(value: Option<&[u8]>) -> Result<Self, Malformed>;
}

macro_rules! number {
    ($type:ty) => {
        impl Field for $type {
            fn write(&self, kind: u16, writer: &mut Writer) {
                writer.put(kind, &self.to_be_bytes());
            }

            fn read(value: Option<&[u8]>) -> Result<Self, Malformed> {
                array_at(value.ok_or(Malformed)?, 0).map(Self::from_be_bytes)
            }
        }
    };
}

number!(u8);
number!(u16);
number!(u32);
number!(u64);

impl Field for String {
    fn write(&self, kind: u16, writer: &mut Writer) {
        writer.put_text(kind, self);
    }

    fn read(value: Option<&[u8]>) -> Result<Self, Malformed> {
        value.map(text).ok_or(Malformed)
    }
}

impl<T: Field> Field for Option<T> {
    fn write(&self, kind: u16, writer: &mut Writer) {
        if let Some(value) = self {
            value.write(kind, writer);
        }
    }

    fn read(value: Option<&[u8]>) -> Result<Self, Malformed> {
        value.map(|value| T::read(Some(value))).transpose()
    }
}

/// `NFTA_DATA_VALUE`: the bytes of a register.
impl Field for Vec<u8> {
    fn write(&self, kind: u16, writer: &mut Writer) {
        writer.nest(kind, |writer| writer.put(1, self));
    }

    fn read(value: Option<&[u8]>) -> Result<Self, Malformed> {
        for attribute in Attributes::within(value.ok_or(Malformed)?) {
            if let (1, value) = attribute? {
                return Ok(value.to_vec());
            }
        }
        Err(Malformed)
    }
}

/// Other attributes, as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nested(pub Vec<u8>);

impl Field for Nested {
    fn write(&self, kind: u16, writer: &mut Writer) {
        writer.nest(kind, |writer| writer.extend(&self.0));
    }

    fn read(value: Option<&[u8]>) -> Result<Self, Malformed> {
        value.map(|value| Self(value.to_vec())).ok_or(Malformed)
    }
}

/// A number in the order of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostWord(pub u32);

impl Field for HostWord {
    fn write(&self, kind: u16, writer: &mut Writer) {
        writer.put(kind, &self.0.to_ne_bytes());
    }

    fn read(value: Option<&[u8]>) -> Result<Self, Malformed> {
        array_at(value.ok_or(Malformed)?, 0).map(u32::from_ne_bytes).map(Self)
    }
}

/// Declares the data of an expression or an object: its fields with the numbers of their attributes in
/// linux/netfilter/nf_tables.h.
macro_rules! fields {
    ($(#[$meta:meta])* $name:ident { $($(#[$of_field:meta])* $kind:literal => $field:ident: $type:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub(crate) struct $name { $($(#[$of_field])* pub $field: $type),* }

        impl $name {
            pub(crate) fn write(&self, writer: &mut crate::netlink::nfnetlink::writer::Writer) {
                $($crate::firewall::expression::field::Field::write(&self.$field, $kind, writer);)*
            }

            pub(crate) fn read_fields(data: &[u8]) -> Result<Self, crate::netlink::attributes::Malformed> {
                $(let mut $field = None;)*
                for attribute in crate::netlink::attributes::Attributes::within(data) {
                    let (kind, value) = attribute?;
                    match kind { $($kind => $field = Some(value),)* _ => {} }
                }
                Ok(Self { $($field: $crate::firewall::expression::field::Field::read($field)?),* })
            }
        }
    };
}

/// Declares an expression: its name in the kernel, and its fields.
macro_rules! expression {
    ($(#[$meta:meta])* $name:ident = $text:literal { $($fields:tt)* }) => {
        crate::firewall::expression::field::fields! { $(#[$meta])* $name { $($fields)* } }

        impl $name {
            pub(crate) const NAME: &'static str = $text;
        }
    };
}

pub(crate) use expression;
pub(crate) use fields;
