//! A helper of connection tracking, which reads what a protocol says about further connections.

use serde::{Deserialize, Serialize};

use super::protocol::{Network, Transport};
use crate::{
    firewall::{expression::field::fields, family::Family},
    netlink::{attributes::Malformed, nfnetlink::writer::Writer},
};

/// A helper of connection tracking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Helper {
    /// The name in the kernel, such as `ftp`.
    #[serde(rename = "type")]
    pub kind: String,
    pub protocol: Transport,
    /// If it is not that of the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Network>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

fields! {
    /// `NFTA_CT_HELPER_*`.
    Data { 1 => name: String, 2 => network: Option<u16>, 3 => transport: u8 }
}

impl Helper {
    pub(super) fn write(&self, writer: &mut Writer) {
        let network = self.family.map(Network::number);
        Data { name: self.kind.clone(), network, transport: self.protocol.number() }.write(writer);
    }

    /// Returns `None` for a helper that has no name here.
    pub(super) fn read(data: &[u8], comment: Option<String>, table: Family) -> Result<Option<Self>, Malformed> {
        let Data { name, network, transport } = Data::read_fields(data)?;
        let family = network.map_or(Some(None), |network| Network::beside(network, table));
        let (Some(protocol), Some(family)) = (Transport::of(transport), family) else { return Ok(None) };
        Ok(Some(Self { kind: name, protocol, family, comment }))
    }
}
