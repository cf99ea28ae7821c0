//! An object of a table, whatever its kind.

use super::{Expectation, Helper, NamedCounter, NamedLimit, NamedQuota, NamedSynproxy, ObjectKind, Secmark, Timeout};
use crate::{
    firewall::{
        place::{ObjectPlace, Place},
        table::Table,
    },
    netlink::{attributes::Malformed, nfnetlink::writer::Writer},
};

/// An object as the kernel lists it.
#[derive(Clone, Debug)]
pub(crate) struct FoundObject {
    pub name: String,
    pub kind: u32,
    pub data: Vec<u8>,
    pub comment: Option<String>,
}

macro_rules! definitions {
    ($($kind:ident($type:ty) in $field:ident),* $(,)?) => {
        /// An object of a table, whatever its kind.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub(crate) enum Definition<'a> {
            $($kind(&'a $type),)*
        }

        impl<'a> Definition<'a> {
            pub fn kind(self) -> ObjectKind {
                match self {
                    $(Self::$kind(_) => ObjectKind::$kind,)*
                }
            }

            /// Where the table has those of its kind.
            pub fn list(self) -> &'static str {
                match self {
                    $(Self::$kind(_) => stringify!($field),)*
                }
            }

            pub fn comment(self) -> Option<&'a String> {
                match self {
                    $(Self::$kind(object) => object.comment.as_ref(),)*
                }
            }

            /// Returns the object as plain data.
            pub fn to_json(self) -> Result<serde_json::Value, Malformed> {
                match self {
                    $(Self::$kind(object) => serde_json::to_value(object),)*
                }.map_err(|_| Malformed)
            }
        }

        impl Table {
            /// Returns the objects of all kinds, with their names.
            pub(crate) fn objects(&self) -> impl Iterator<Item = (&String, Definition<'_>)> {
                let objects = std::iter::empty();
                $(let objects = objects.chain(self.$field.iter().map(|(name, object)| (name, Definition::$kind(object))));)*
                objects
            }
        }
    };
}

definitions!(
    Counter(NamedCounter) in counters,
    Quota(NamedQuota) in quotas,
    Limit(NamedLimit) in limits,
    Helper(Helper) in helpers,
    Timeout(Timeout) in timeouts,
    Expectation(Expectation) in expectations,
    Synproxy(NamedSynproxy) in synproxies,
    Secmark(Secmark) in secmarks,
);

impl Definition<'_> {
    pub fn place(self, name: &str) -> Place {
        let module = match self {
            Self::Helper(helper) => Some(format!("nf_conntrack_{}", helper.kind)),
            _ => None,
        };
        Place::Object(ObjectPlace { list: self.list(), name: name.to_owned(), module })
    }

    /// Writes `NFTA_OBJ_DATA`.
    pub fn write(self, writer: &mut Writer) {
        match self {
            Self::Counter(_) => NamedCounter::write(writer),
            Self::Quota(quota) => quota.write(writer),
            Self::Limit(limit) => limit.write(writer),
            Self::Helper(helper) => helper.write(writer),
            Self::Timeout(timeout) => timeout.write(writer),
            Self::Expectation(expectation) => expectation.write(writer),
            Self::Synproxy(synproxy) => synproxy.write(writer),
            Self::Secmark(secmark) => secmark.write(writer),
        }
    }
}

impl Table {
    /// Adds an object that the kernel lists, if it has a name here.
    pub(crate) fn add_object(&mut self, found: FoundObject) -> Result<(), Malformed> {
        let FoundObject { name, kind, data, comment } = found;
        let family = self.family;
        let Some(kind) = ObjectKind::of(kind) else { return Ok(()) };
        match kind {
            ObjectKind::Counter => self.counters.push((name, NamedCounter { comment })),
            ObjectKind::Quota => self.quotas.push((name, NamedQuota::read(&data, comment)?)),
            ObjectKind::Limit => self.limits.extend(NamedLimit::read(&data, comment)?.map(|limit| (name, limit))),
            ObjectKind::Helper => {
                self.helpers.extend(Helper::read(&data, comment, family)?.map(|helper| (name, helper)));
            }
            ObjectKind::Timeout => {
                self.timeouts.extend(Timeout::read(&data, comment, family)?.map(|timeout| (name, timeout)));
            }
            ObjectKind::Expectation => {
                self.expectations.extend(Expectation::read(&data, comment, family)?.map(|one| (name, one)));
            }
            ObjectKind::Synproxy => self.synproxies.push((name, NamedSynproxy::read(&data, comment)?)),
            ObjectKind::Secmark => self.secmarks.push((name, Secmark::read(&data, comment)?)),
        }
        Ok(())
    }
}
