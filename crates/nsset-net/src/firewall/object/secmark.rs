//! A mark of a security module, such as SELinux.

use serde::{Deserialize, Serialize};

use crate::{
    firewall::expression::field::fields,
    netlink::{attributes::Malformed, nfnetlink::writer::Writer},
};

/// The context of a security module that packets get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secmark {
    pub context: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

fields! {
    /// `NFTA_SECMARK_*`.
    Data { 1 => context: String }
}

impl Secmark {
    pub(super) fn write(&self, writer: &mut Writer) {
        Data { context: self.context.clone() }.write(writer);
    }

    pub(super) fn read(data: &[u8], comment: Option<String>) -> Result<Self, Malformed> {
        Ok(Self { context: Data::read_fields(data)?.context, comment })
    }
}
