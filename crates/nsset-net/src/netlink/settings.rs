//! Structs whose fields are attributes: one line says the field's name, its type and the number of its attribute, and writing,
//! reading and comparing follow from it.

/// A struct of optional settings, each of which is an attribute. Its plain data have the names of the fields.
macro_rules! settings {
    (
        $(#[$of_struct:meta])*
        pub struct $name:ident {
            $($(#[$of_field:meta])* $field:ident: $type:ty = $number:expr,)*
        }
    ) => {
        $(#[$of_struct])*
        #[serde_with::skip_serializing_none]
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        pub struct $name {
            $($(#[$of_field])* pub $field: Option<$type>,)*
        }

        #[allow(dead_code, reason = "not every struct of settings needs each of these")]
        impl $name {
            /// Returns the attributes of the settings that are given.
            pub(crate) fn attributes(&self) -> Vec<netlink_packet_core::DefaultNla> {
                use crate::netlink::value::Value;
                let attributes = [$(
                    self.$field.as_ref().map(|value| netlink_packet_core::DefaultNla::new($number, value.write())),
                )*];
                attributes.into_iter().flatten().collect()
            }

            /// Returns the same as bytes.
            pub(crate) fn bytes(&self) -> Vec<u8> {
                use netlink_packet_core::Emitable;
                let attributes = self.attributes();
                let mut bytes = vec![0; attributes.as_slice().buffer_len()];
                attributes.as_slice().emit(&mut bytes);
                bytes
            }

            /// Takes the value of an attribute. One that is unknown, or that cannot be read, is skipped: a kernel that is newer
            /// than this crate may add others.
            pub(crate) fn put(&mut self, number: u16, value: &[u8]) {
                use crate::netlink::value::Value;
                $(if number == $number {
                    self.$field = Value::read(value).ok();
                    return;
                })*
            }

            /// Reads the attributes in a value.
            pub(crate) fn read(value: &[u8]) -> Self {
                let mut settings = Self::default();
                for (number, value) in crate::netlink::attributes::Attributes::within(value).flatten() {
                    settings.put(number, value);
                }
                settings
            }

            /// Returns those settings that are also given in `other`.
            pub(crate) fn of_those_in(&self, other: &Self) -> Self {
                Self { $($field: other.$field.as_ref().and(self.$field.clone()),)* }
            }

            /// Returns the settings that differ from those of `other`.
            pub(crate) fn without_those_of(&self, other: &Self) -> Self {
                Self { $($field: if self.$field == other.$field { None } else { self.$field.clone() },)* }
            }

            /// Returns how many settings are given.
            pub(crate) fn count(&self) -> usize {
                [$(self.$field.is_some(),)*].into_iter().filter(|is_given| *is_given).count()
            }
        }
    };
}

/// An enumeration with a number for the kernel and a word in plain data.
macro_rules! words {
    (
        $(#[$of_enum:meta])*
        pub enum $name:ident: $integer:ty {
            $($(#[$of_word:meta])* $variant:ident = $number:literal => $word:literal,)*
        }
    ) => {
        $(#[$of_enum])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$of_word])* #[serde(rename = $word)] $variant,)*
        }

        impl crate::netlink::value::Value for $name {
            fn write(&self) -> Vec<u8> {
                let number: $integer = match self {
                    $(Self::$variant => $number,)*
                };
                number.write()
            }

            fn read(bytes: &[u8]) -> std::result::Result<Self, crate::netlink::attributes::Malformed> {
                match <$integer as crate::netlink::value::Value>::read(bytes)? {
                    $($number => Ok(Self::$variant),)*
                    _ => Err(crate::netlink::attributes::Malformed),
                }
            }
        }
    };
}

/// An enumeration of flags, each with its bit for the kernel and a word in plain data. A `Vec` of them is an attribute; bits
/// without a word are skipped.
macro_rules! flags {
    (
        $(#[$of_enum:meta])*
        pub enum $name:ident: $integer:ty {
            $($(#[$of_flag:meta])* $variant:ident = $bit:literal => $word:literal,)*
        }
    ) => {
        $(#[$of_enum])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$of_flag])* #[serde(rename = $word)] $variant = $bit,)*
        }

        impl crate::netlink::value::Value for Vec<$name> {
            fn write(&self) -> Vec<u8> {
                let bits = self.iter().fold(0, |bits, flag| bits | *flag as $integer);
                bits.write()
            }

            fn read(bytes: &[u8]) -> std::result::Result<Self, crate::netlink::attributes::Malformed> {
                let bits = <$integer as crate::netlink::value::Value>::read(bytes)?;
                let all = [$($name::$variant,)*];
                Ok(all.into_iter().filter(|flag| bits & *flag as $integer != 0).collect())
            }
        }
    };
}

pub(crate) use flags;
pub(crate) use settings;
pub(crate) use words;
